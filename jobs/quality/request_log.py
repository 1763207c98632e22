"""The requests that a service's replicas have logged, see model/serving/predicted.py for what a line says."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.logs import Entry, Search, read

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client

TAGS = ("source", "region", "business")


@dataclass(frozen=True)
class Prediction:
    """What one image was taken for. `mean` and `deviation` of its pixels, 0 to 255."""

    label: str
    confidence: float
    mean: float
    deviation: float


@dataclass(frozen=True)
class LoggedRequest:
    """One call of the service; without predictions where it was refused, or the log does not tell them."""

    id: str
    status: int
    latency_ms: float
    model: str
    version: str
    predictions: tuple[Prediction, ...]
    tags: Mapping[str, str]

    def ids(self) -> Iterator[tuple[str, Prediction]]:
        """Each prediction by the id that labels name it by: the request's, and `ID/INDEX` where it had several."""
        for index, prediction in enumerate(self.predictions):
            yield (self.id if len(self.predictions) == 1 else f"{self.id}/{index}"), prediction


def requests(client: "Client", region: str, service: str, since: datetime) -> list[LoggedRequest]:
    """Since a moment, oldest first, of the replicas that are there: EAS keeps no log of others."""
    return list(_parsed(read(client, region, service, Search("latency_ms"), since)))


def _parsed(entries: Iterable[Entry]) -> Iterator[LoggedRequest]:
    for entry in entries:
        fields = entry.fields
        if (
            fields.get("event") == "request"
            and fields.get("path") in ("/", "/classify")
            and fields.get("method") == "POST"
        ):
            yield LoggedRequest(
                str(fields.get("request_id", "")),
                int(fields.get("status", 0)),
                float(fields.get("latency_ms", 0.0)),
                str(fields.get("model", "")),
                str(fields.get("version", "")),
                tuple(_prediction(each) for each in fields.get("predictions", ())),
                fields.get("tags", {}),
            )


def _prediction(fields: Mapping[str, Any]) -> Prediction:
    return Prediction(
        str(fields["label"]), float(fields["confidence"]), float(fields["mean"]), float(fields["deviation"])
    )
