"""AIWorkSpace: workspaces, and the models, datasets, code sources and experiments in them."""

from emulator.services.aiworkspace import (
    code_sources,
    dataset_versions,
    datasets,
    experiments,
    model_versions,
    models,
    workspaces,
)
from emulator.services.aiworkspace.service import aiworkspace

__all__ = [
    "aiworkspace",
    "code_sources",
    "dataset_versions",
    "datasets",
    "experiments",
    "model_versions",
    "models",
    "workspaces",
]
