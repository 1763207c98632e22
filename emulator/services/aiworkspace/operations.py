"""All emulated operations of AIWorkSpace: importing this module registers them at `aiworkspace`."""

from emulator.services.aiworkspace import (
    code_sources,
    dataset_versions,
    datasets,
    experiments,
    model_versions,
    models,
    workspaces,
)

MODULES = (code_sources, dataset_versions, datasets, experiments, model_versions, models, workspaces)

__all__ = ["MODULES"]
