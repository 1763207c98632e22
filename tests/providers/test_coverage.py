"""Every operation of EAS that changes something is covered by a resource, or left out for a reason."""

from tests.providers import coverage


def test_every_operation_that_changes_something_is_covered_or_left_out_for_a_reason() -> None:
    named = coverage.covered().keys() | coverage.LEFT_OUT.keys()

    assert coverage.changing() - named == set(), "cover it by a resource, or say in LEFT_OUT why not"
    assert named - coverage.changing() == set(), "the SDK has no such operation, or it changes nothing"


def test_nothing_is_both_covered_and_left_out() -> None:
    assert coverage.covered().keys() & coverage.LEFT_OUT.keys() == set()


def test_what_is_covered_is_found_in_the_calls_of_the_resources() -> None:
    covered = coverage.covered()

    assert covered["CreateGroup"] == ["ServiceGroup"]
    assert covered["UpdateService"] == ["ServiceRevision", "pai.Service"]
    assert covered["DeleteServiceAutoScaler"] == ["ServiceAutoscaler", "ServiceRevision"]
    assert [name for name, resources in covered.items() if "nothing" in resources[0]] == []


def test_the_page_of_what_is_covered_is_up_to_date() -> None:
    assert coverage.PAGE.read_text() == coverage.page(), "run `make coverage`"
