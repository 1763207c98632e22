"""What the console reads from: the clients of a stack's cloud, and the names of what it looks at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from cloud.cms import cms_client
from cloud.eas import eas_client
from jobs.plan import stack_clock
from jobs.problem import JobError
from jobs.stacks import OpenStack
from stacks.config import StackConfig

if TYPE_CHECKING:
    from alibabacloud_cms20190101.client import Client as CmsClient
    from alibabacloud_eas20210701.client import Client as EasClient


@dataclass(frozen=True)
class Source:
    """One stack. `names` are its services in EAS, by their keys in the settings."""

    stack: str
    config: StackConfig
    names: Mapping[str, str]
    eas: "EasClient"
    cms: "CmsClient"
    now: Callable[[], datetime]

    @classmethod
    def of(cls, opened: OpenStack) -> Self:
        """Makes the clients; nothing is asked yet."""
        stack, credentials = opened.pulumi.name, opened.credentials()
        return cls(
            stack,
            opened.config,
            opened.config.service_names(stack),
            eas_client(opened.target, credentials),
            cms_client(opened.target, credentials),
            lambda: stack_clock(opened),
        )

    @property
    def region(self) -> str:
        return self.config.target.region

    def name_of(self, key: str) -> str:
        """JobError when the settings have no such service."""
        if key not in self.names:
            raise JobError(f"stack {self.stack} has no service {key!r}; there are {', '.join(self.names) or 'none'}")
        return self.names[key]
