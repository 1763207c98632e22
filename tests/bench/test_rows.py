"""The figures that are kept, and the page that shows them."""

from bench import rows
from bench.__main__ import PAGE, RESULTS


def test_the_page_shows_the_figures_that_are_kept() -> None:
    assert rows.page(rows.read(RESULTS)) == PAGE.read_text(), "run `make bench`, or write the page from results.json"


def test_a_row_holds_while_its_ratio_is_within_the_goal() -> None:
    slow = rows.at_most("slow", 16, "s", baseline=10, ratio=1.5)
    just = rows.at_most("just", 15, "s", baseline=10, ratio=1.5)

    assert (slow.ratio, slow.holds) == (1.6, False)
    assert (just.ratio, just.holds) == (1.5, True)
    assert "| slow | 16 s | 10 s | 1.60 | <= 1.5 x baseline | **no** |" in rows.page([slow])


def test_a_figure_beside_a_natural_limit_has_no_goal() -> None:
    assert rows.page([rows.beside("start", 3, "s", baseline=2)]).endswith("| start | 3 s | 2 s | 1.50 |  |  |\n")
