"""The back-test as one HTML file without anything from elsewhere: table, forecasts and replicas, light and dark."""

from collections.abc import Sequence
from datetime import timedelta
from html import escape

import numpy as np

from planning.comparison import Comparison, Policy
from planning.load import BLOCK_TICKS
from planning.series import Floats
from planning.wish import Wish

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 960, 240, 52, 22

_STYLE = """
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5b6675;--line:#d8dde4;--page:#fff;
--a:#0b66c3;--b:#c2410c;--c:#15803d}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa5b4;--line:#333c48;--page:#12161c;
--a:#6cb2ff;--b:#ff9a62;--c:#6fdc8c}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:1000px;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}p,figcaption{color:var(--soft)}
figure{margin:1rem 0;overflow-x:auto}table{border-collapse:collapse;width:100%}
td,th{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:right}
td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}svg text{fill:var(--soft);font-size:11px}
.grid{stroke:var(--line)}.line{fill:none;stroke-width:1.4}.band{stroke:none;opacity:.22}
"""
_BLUE, _ORANGE, _GREEN, _INK, _GREY = "var(--a)", "var(--b)", "var(--c)", "var(--ink)", "var(--soft)"


def report(found: Comparison, wish: Wish, replica_hour_price: float | None, source: str) -> str:
    """The page. `replica_hour_price` in any currency adds a column."""
    days = len(found.choices)
    choices = "".join(f"<li>{escape(choice.why)}</li>" for choice in found.choices)
    plots = "".join(_forecast_figure(found, name) for name in found.forecasts)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Back-test of {escape(source)}</title><style>{_STYLE}</style>"
        f"<h1>Back-test of {escape(source)}</h1>"
        f"<p>The last {days} days from {found.start:%Y-%m-%d %H:%M}, each planned from what was known before it. "
        f"A replica serves {wish.rule.capacity:.4g} requests per second and starts in {wish.rule.start_up_s} s; "
        f"{wish.rule.least} to {wish.rule.most} replicas; an hour of overload costs {wish.overload_price:g} "
        f"replica-hours.</p>{_table(found, wish, replica_hour_price)}"
        f"<h2>Chosen before each day</h2><ol>{choices}</ol>"
        f"<h2>Replicas that served</h2>{_replicas_figure(found, wish)}"
        f"<h2>Forecast and truth</h2>{plots}</html>\n"
    )


def _table(found: Comparison, wish: Wish, price: float | None) -> str:
    now = found.policies[0]
    titles = ["policy", "replica-hours", "to now", "minutes of overload", "requests not served", "cost to now"]
    titles += ["missed by", "fitted in", *([] if price is None else ["money"])]

    def cells(row: Policy) -> list[str]:
        return [
            row.name,
            f"{row.replica_hours:.0f}",
            f"{row.replica_hours / now.replica_hours:.2f}",
            f"{row.short_hours * 60:.0f}",
            f"{row.unserved:.3%}",
            f"{row.cost(wish.overload_price) / now.cost(wish.overload_price):.2f}",
            "" if row.missed is None else f"{row.missed:.1%}",
            "" if row.fit_s is None else f"{row.fit_s:.2f} s",
            *([] if price is None else [f"{row.replica_hours * price:.2f}"]),
        ]

    head = "".join(f"<th>{title}" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}" for cell in cells(row)) for row in found.policies)
    return f"<table><tr>{head}{body}</table>"


def _forecast_figure(found: Comparison, name: str) -> str:
    forecast = found.forecasts[name]
    low, middle, high = (forecast.at_level(level) for level in (0.05, 0.5, 0.95))
    top = float(max(found.blocks.max(), np.quantile(high, 0.98))) * 1.05
    x = np.arange(len(found.blocks), dtype=float)
    area = _points(np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]]), len(x), top)
    return _figure(
        [
            f"<polygon class=band fill='{_BLUE}' points='{area}'/>",
            _line(middle, top, _BLUE),
            _line(found.blocks, top, _INK),
        ],
        top,
        found,
        f"{name}: median and the band that nine in ten should lie in (blue), truth (plain); requests per second",
    )


def _replicas_figure(found: Comparison, wish: Wish) -> str:
    shown = [row for row in found.policies if row.replicas is not None]
    chosen = [shown[0], *shown[-2:]]
    need = found.load / wish.rule.capacity
    lines = [(row.name, _by_block(row.replicas.astype(float))) for row in chosen if row.replicas is not None]
    top = max(float(need.max()), *(float(values.max()) for _, values in lines)) * 1.05
    colours = (_GREY, _ORANGE, _GREEN)
    drawn = [_line(values, top, colour) for (_, values), colour in zip(lines, colours, strict=True)]
    words = ("grey", "orange", "green")
    told = ", ".join(f"{name} ({word})" for (name, _), word in zip(lines, words, strict=True))
    return _figure([*drawn, _line(_by_block(need), top, _INK)], top, found, f"{told}, load in replicas (plain)")


def _by_block(ticks: Floats) -> Floats:
    return np.asarray(ticks.reshape(-1, BLOCK_TICKS).max(axis=1))


def _figure(drawn: Sequence[str], top: float, found: Comparison, caption: str) -> str:
    marks: list[str] = []
    for share in (0.0, 0.5, 1.0):
        y = _HEIGHT * (1 - share)
        marks.append(f"<line class=grid x1={_LEFT} x2={_WIDTH} y1={y:.1f} y2={y:.1f} />")
        marks.append(f"<text x={_LEFT - 6} y={max(y, 10):.1f} text-anchor=end>{top * share:.4g}</text>")
    days = len(found.choices)
    for half in range(2 * days):
        x = _LEFT + (_WIDTH - _LEFT) * half / (2 * days)
        at = found.start + timedelta(hours=12 * half)
        marks.append(f"<text x={x:.1f} y={_HEIGHT + 16}>{at:%a %H:%M}</text>")
    inside = "".join([*marks, *drawn])
    return (
        f"<figure><svg viewBox='0 0 {_WIDTH} {_HEIGHT + _BOTTOM}' role=img aria-label='{escape(caption)}'>"
        f"{inside}</svg>"
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _line(values: Floats, top: float, colour: str) -> str:
    x = np.arange(len(values), dtype=float)
    return f"<polyline class=line stroke='{colour}' points='{_points(x, values, len(values), top)}'/>"


def _points(x: Floats, y: Floats, count: int, top: float) -> str:
    across = _LEFT + (_WIDTH - _LEFT) * x / max(count - 1, 1)
    down = _HEIGHT * (1 - np.clip(y / top, 0, 1))
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))
