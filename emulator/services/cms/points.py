"""Measured values, a minute each, and what becomes of them in longer periods."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from emulator.services.eas.metering.summary import Summary

MINUTE_S = 60
# The cloud keeps minutes for 31 days. Comparisons with the last week need eight.
KEPT_S = 8 * 86_400
# Of all series together: some hundred megabytes.
KEPT_POINTS = 2_000_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS cms_series (
    id INTEGER PRIMARY KEY, namespace TEXT, metric TEXT, dimensions TEXT, UNIQUE (namespace, metric, dimensions)
);
CREATE TABLE IF NOT EXISTS cms_points (
    time INTEGER, series INTEGER, weight REAL, total REAL, low REAL, high REAL, PRIMARY KEY (series, time)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cms_points_by_time ON cms_points (time);
"""

Dimensions = Mapping[str, str]


class Point(NamedTuple):
    """What a metric of one resource was from `time` (seconds since the epoch) on, for one period."""

    dimensions: dict[str, str]
    time: int
    summary: Summary

    def statistic(self, name: str) -> float:
        """`Value` is what came a second or each time, as is `Average`: no source says how the two differ."""
        summary = self.summary
        match name:
            case "Maximum":
                return summary.high
            case "Minimum":
                return summary.low
            case "Sum":
                return summary.total
            case "SampleCount" | "Count":
                return summary.weight
        return summary.average


class Points:
    """Durable; `forget_old` keeps them bounded."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(SCHEMA)

    def add(self, namespace: str, metric: str, dimensions: Dimensions, time: float, summary: Summary) -> None:
        """Adds to what the minute already has."""
        values = (summary.weight, summary.total, summary.low, summary.high)
        self._connection.execute(
            "INSERT INTO cms_points VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "weight = weight + excluded.weight, total = total + excluded.total, "
            "low = min(low, excluded.low), high = max(high, excluded.high)",
            (int(time // MINUTE_S * MINUTE_S), self._series(namespace, metric, dimensions), *values),
        )

    def find(
        self, namespace: str, metric: str, wanted: Sequence[Dimensions], start: float, end: float, period_s: int
    ) -> list[Point]:
        """Of the periods that begin after `start` and at `end` at the latest, oldest first.

        `wanted` are resources, each by some of its dimensions; none means all.
        """
        first = (start // period_s + 1) * period_s
        rows = self._connection.execute(
            "SELECT dimensions, time / ?1 * ?1 AS begun, sum(weight), sum(total), min(low), max(high) "
            "FROM cms_series JOIN cms_points ON series = id "
            "WHERE namespace = ?2 AND metric = ?3 AND time >= ?4 AND time < ?5 "
            "GROUP BY id, begun ORDER BY begun, dimensions",
            (period_s, namespace, metric, first, end // period_s * period_s + period_s),
        )
        points = [Point(json.loads(dimensions), time, Summary(*values)) for dimensions, time, *values in rows]
        return [point for point in points if not wanted or any(is_part(one, point.dimensions) for one in wanted)]

    def series(self, namespace: str, metric: str) -> list[dict[str, str]]:
        """The resources that ever had such a metric."""
        rows = self._connection.execute(
            "SELECT dimensions FROM cms_series WHERE namespace = ? AND metric = ? ORDER BY dimensions",
            (namespace, metric),
        )
        return [json.loads(dimensions) for (dimensions,) in rows]

    def metrics(self, namespace: str) -> list[str]:
        """The names of metrics that ever had a value."""
        rows = self._connection.execute(
            "SELECT DISTINCT metric FROM cms_series WHERE namespace = ? ORDER BY metric", (namespace,)
        )
        return [metric for (metric,) in rows]

    def forget_old(self, now: float) -> None:
        """Forgets what is older than KEPT_S, and the oldest of more than KEPT_POINTS."""
        (count,) = self._connection.execute("SELECT count(*) FROM cms_points").fetchone()
        before = now - KEPT_S
        if count > KEPT_POINTS:
            query = "SELECT time FROM cms_points ORDER BY time DESC LIMIT 1 OFFSET ?"
            before = max(before, self._connection.execute(query, (KEPT_POINTS,)).fetchone()[0] + 1)
        self._connection.execute("DELETE FROM cms_points WHERE time < ?", (before,))
        self._connection.execute("DELETE FROM cms_series WHERE id NOT IN (SELECT series FROM cms_points)")

    def _series(self, namespace: str, metric: str, dimensions: Dimensions) -> int:
        key = (namespace, metric, json.dumps(dict(sorted(dimensions.items()))))
        query = "SELECT id FROM cms_series WHERE namespace = ? AND metric = ? AND dimensions = ?"
        row = self._connection.execute(query, key).fetchone()
        if row is None:
            row = self._connection.execute(
                "INSERT INTO cms_series (namespace, metric, dimensions) VALUES (?, ?, ?) RETURNING id", key
            ).fetchone()
        return int(row[0])


def is_part(some: Dimensions, dimensions: Dimensions) -> bool:
    """Whether a resource has these dimensions, among others."""
    return all(dimensions.get(name) == value for name, value in some.items())
