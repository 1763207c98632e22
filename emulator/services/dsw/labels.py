"""Labels of instances."""

from pydantic import Field

from emulator.operations import Answer, Call, Parameters
from emulator.services.dsw.parameters import Pair
from emulator.services.dsw.product import INSTANCE, dsw
from emulator.services.dsw.state import DswState

LABELS = f"{INSTANCE}/labels"


class UpdateInstanceLabels(Parameters):
    labels: list[Pair] = Field(alias="Labels", min_length=1)


@dsw.operation("UpdateInstanceLabels", "PUT", LABELS)
def update_instance_labels(state: DswState, call: Call, instance_id: str, body: UpdateInstanceLabels) -> Answer:
    """Adds labels, or changes their values; the others stay."""
    instance = state.find(call.region, instance_id)
    labels = instance.labels | {label.key: label.value for label in body.labels}
    state.put(instance.model_copy(update={"labels": labels}))
    return {}


class DeleteInstanceLabels(Parameters):
    """Keys separated by commas."""

    label_keys: str = Field(alias="LabelKeys", min_length=1)


@dsw.operation("DeleteInstanceLabels", "DELETE", LABELS)
def delete_instance_labels(state: DswState, call: Call, instance_id: str, query: DeleteInstanceLabels) -> Answer:
    """Keys that the instance does not have are ignored."""
    instance = state.find(call.region, instance_id)
    gone = set(query.label_keys.split(","))
    labels = {key: value for key, value in instance.labels.items() if key not in gone}
    state.put(instance.model_copy(update={"labels": labels}))
    return {}
