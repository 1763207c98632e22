"""StackConfig: everything by which one environment differs from another, typed and checked as a whole."""

import json
from collections.abc import Iterator
from functools import reduce
from itertools import chain
from operator import getitem
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator

from cloud.target import Target
from components.alarm_config import MonitoringSettings
from components.billing_config import GatewaySettings, MachineGroupSettings, MixSettings, place_problems
from components.eas_config import EasServiceSettings
from components.log_config import LogSettings
from components.monitoring_config import contact_problems
from components.notebook_config import NotebookSettings
from components.registered_model_config import RegisteredModelSettings
from components.settings import NAME_PATTERN, Problem, Settings, refuse
from components.store_rules import ModelStoreSettings
from components.traffic_config import TrafficSplitSettings, split_problems
from components.training_config import TrainingSettings, registry_problems
from stacks.problems import NAMESPACE, ConfigError, describe

STACKS = Path(__file__).parent

SettingPath = tuple[str, ...]

# Its value, PROJECT/STACK, marks what a stack created, so that a run after a cut one knows its own again.
OWNERSHIP_TAG = "paistack-stack"


class StackConfig(Settings):
    """The settings of one stack, under the namespace `paistack:` of stacks/Pulumi.<stack>.yaml."""

    target: Target
    store: ModelStoreSettings = ModelStoreSettings()
    services: dict[Annotated[str, StringConstraints(pattern=NAME_PATTERN)], EasServiceSettings] = Field(
        default_factory=dict, description="Model services, each by a short name of lower-case letters."
    )
    machines: dict[Annotated[str, StringConstraints(pattern=NAME_PATTERN)], MachineGroupSettings] = Field(
        default_factory=dict, description="Dedicated groups of machines for services, each by a short name."
    )
    mixes: dict[Annotated[str, StringConstraints(pattern=NAME_PATTERN)], MixSettings] = Field(
        default_factory=dict, description="Several kinds of machines under one short name, by priority."
    )
    gateways: dict[Annotated[str, StringConstraints(pattern=NAME_PATTERN)], GatewaySettings] = Field(
        default_factory=dict, description="Gateways of the stack's own, each by a short name."
    )
    traffic: dict[Annotated[str, StringConstraints(pattern=NAME_PATTERN)], TrafficSplitSettings] = Field(
        default_factory=dict, description="Services that are versions of each other, behind one address."
    )
    monitoring: MonitoringSettings = MonitoringSettings()
    logs: LogSettings | None = Field(
        default=None, description="Makes a project of Simple Log Service for the services' logs; in the cloud only."
    )
    notebooks: dict[Annotated[str, StringConstraints(pattern=NAME_PATTERN)], NotebookSettings] = Field(
        default_factory=dict, description="Notebooks on DSW, each by a short name of lower-case letters."
    )
    training: dict[Annotated[str, StringConstraints(pattern=NAME_PATTERN)], TrainingSettings] = Field(
        default_factory=dict, description="Training runs on DSW, each by a short name of lower-case letters."
    )
    models: dict[Annotated[str, StringConstraints(pattern=NAME_PATTERN)], RegisteredModelSettings] = Field(
        default_factory=dict, description="Models in PAI's registry, by name; `paistack train` adds the versions."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = (
            split_problems(self.traffic, self.services),
            place_problems(self.machines, self.mixes, self.gateways, self.services),
            contact_problems(self.monitoring, self.services),
            registry_problems(self.training, self.models),
            self._log_problems(),
        )
        refuse(StackConfig, chain.from_iterable(problems))
        return self

    def _log_problems(self) -> Iterator[Problem]:
        if self.logs is not None and self.target.emulator is not None:
            message = (
                "the provider reaches Simple Log Service past its proxy, so that the real cloud would be asked and not "
                "the emulator; leave it out of stacks with target.emulator, and use `paistack logs`"
            )
            yield Problem(("logs",), message)

    def service_names(self, stack: str) -> dict[str, str]:
        """The names in EAS of the stack's services, by their keys."""
        return {key: its.service_name or default_name(key, stack) for key, its in self.services.items()}

    @classmethod
    def load(cls) -> Self:
        """The running stack's settings; `pulumi.RunError`, which shows no traceback, when they are wrong."""
        import pulumi
        from pulumi.runtime.config import CONFIG, is_config_secret  # pulumi.Config does not tell which keys there are

        prefix = f"{NAMESPACE}:"
        raw = {key.removeprefix(prefix): value for key, value in CONFIG.get().items() if key.startswith(prefix)}
        try:
            config = cls._parse({key: _structured(value) for key, value in raw.items()})
            for path in config._secrets():
                if not is_config_secret(f"{prefix}{path[0]}"):
                    raise _in_clear_text(path)
        except ConfigError as problem:
            raise pulumi.RunError(str(problem)) from None
        return config

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """The settings in a stack file, without Pulumi; encrypted values stay encrypted.

        Raises ConfigError for a file that cannot be read, is no YAML, or has wrong settings.
        """
        values = read_stack_file(path)
        config = cls._parse(values, source=path)
        for path_in_file in config._secrets():
            if isinstance(reduce(getitem, path_in_file, values), str):
                raise _in_clear_text(path_in_file)
        return config

    @classmethod
    def of_stack(cls, stack: str) -> Self:
        """The settings of the stack by that name; ConfigError when it has no file."""
        path = settings_file(stack)
        if not path.exists():
            there = sorted(file.stem.removeprefix("Pulumi.") for file in STACKS.glob("Pulumi.*.yaml"))
            raise ConfigError(
                f"there is no stack {stack!r}: stacks/{path.name} does not exist; there are {', '.join(there)}"
            )
        return cls.from_file(path)

    @classmethod
    def _parse(cls, values: dict[str, Any], *, source: Path | None = None) -> Self:
        try:
            return cls.model_validate_json(json.dumps(values))
        except ValidationError as error:
            raise ConfigError(describe(error, cls, values, source)) from None

    def _secrets(self) -> list[SettingPath]:
        """Where secrets stand."""
        services: list[SettingPath] = [
            ("services", name, "container", "secrets", variable)
            for name, service in self.services.items()
            for variable in service.container.secrets
        ]
        notebooks: list[SettingPath] = [
            ("notebooks", name, "secrets", variable)
            for name, notebook in self.notebooks.items()
            for variable in notebook.secrets
        ]
        contacts: list[SettingPath] = [
            ("monitoring", "contacts", name, "dingtalk")
            for name, contact in self.monitoring.contacts.items()
            if contact.dingtalk is not None
        ]
        return services + notebooks + contacts


def _in_clear_text(path: SettingPath) -> ConfigError:
    named = f"{NAMESPACE}:{'.'.join(path)}"
    return ConfigError(f"{named}: is in clear text; run `pulumi config set --stack STACK --secret --path '{named}'`")


def default_name(key: str, stack: str) -> str:
    """What EAS knows a thing of a stack by, unless its settings say otherwise."""
    return f"{key}_{stack}".replace("-", "_")


def settings_file(stack: str) -> Path:
    """Where the settings of a stack stand."""
    return STACKS / f"Pulumi.{stack}.yaml"


def read_stack_file(path: Path) -> dict[str, Any]:
    """The values of our namespace in a stack file, by key; ConfigError when the file is not one."""
    try:
        document = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise ConfigError(f"{path} has no mapping `config:`, under which the settings stand")
    prefix = f"{NAMESPACE}:"
    return {str(key).removeprefix(prefix): value for key, value in config.items() if str(key).startswith(prefix)}


def _keeps_meaning(tag: str, first: str) -> bool:
    return not (tag.endswith(":timestamp") or (tag.endswith(":bool") and first not in "tTfF"))


class _Loader(yaml.SafeLoader):
    """Reads scalars as Pulumi does: a date is text, and only true and false are truth values."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if _keeps_meaning(tag, first)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _structured(value: str) -> Any:
    """Pulumi hands over every value as text: mappings and lists as JSON, the rest as it stands in the file."""
    if value[:1] in ("{", "["):
        return json.loads(value)
    return value
