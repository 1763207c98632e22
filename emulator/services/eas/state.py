"""The emulated EAS: what is wanted, what runs, and the gateway's routes."""

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from emulator.errors import ApiError
from emulator.services.eas.benchmark.runner import Benchmarks
from emulator.services.eas.config.parsing import parse_config
from emulator.services.eas.config.service import ServiceConfig
from emulator.services.eas.dataplane.deployment import Condition, Deployment
from emulator.services.eas.dataplane.gateway import Gateway
from emulator.services.eas.dataplane.group_route import GroupRoute
from emulator.services.eas.dataplane.host import Host
from emulator.services.eas.dataplane.mounts import ObjectSource
from emulator.services.eas.dataplane.process import end_leftovers
from emulator.services.eas.dataplane.routes import Routes
from emulator.services.eas.dataplane.upstream import Upstream
from emulator.services.eas.records import Event, Instance, Service, ServiceKey, Version
from emulator.services.eas.resources.records import PrivateGateway, ResourceGroup, ResourceMachine, VirtualGroup
from emulator.services.eas.scaling.loop import ScalingLoop
from emulator.services.eas.scaling.records import Autoscaler, CronScaler
from emulator.services.eas.traffic.membership import remove_empty_groups
from emulator.services.eas.traffic.records import Group
from emulator.store import Store

KEPT_EVENTS = 1000


class EasState:
    """`port` and `account_id` are what endpoints are made of. Handlers change the stored documents and then `wake`
    the service; instances follow by themselves between `start` and `stop`. `tell` hears of every event of theirs."""

    def __init__(
        self,
        store: Store,
        directory: Path,
        now: Callable[[], datetime],
        objects: ObjectSource,
        *,
        port: int,
        account_id: str,
    ) -> None:
        self.store, self.now, self.port, self.account_id = store, now, port, account_id
        self.host = Host(directory, now, objects)
        self.services = store.collection("eas.services", Service)
        self.versions = store.collection("eas.versions", Version)
        self.instances = store.collection("eas.instances", Instance)
        self.events = store.collection("eas.events", Event)
        self.numbers = store.settings("eas.numbers")
        self.routes = Routes()
        self._upstream = Upstream()
        self.gateway = Gateway(self.routes, self._upstream, now)
        self.autoscalers = store.collection("eas.autoscalers", Autoscaler)
        self.cronscalers = store.collection("eas.cronscalers", CronScaler)
        self.scaling = ScalingLoop(self)
        self.groups = store.collection("eas.groups", Group)
        self.resource_groups = store.collection("eas.resources", ResourceGroup)
        self.machines = store.collection("eas.machines", ResourceMachine)
        self.virtual_groups = store.collection("eas.virtual", VirtualGroup)
        self.private_gateways = store.collection("eas.gateways", PrivateGateway)
        self.benchmarks = Benchmarks(store, now, objects, port)
        self.machine_start_s = 0.0  # of emulated time, from the purchase of a machine until it takes instances
        self.deployments: dict[ServiceKey, Deployment] = {}
        self.tell: Callable[[ServiceKey, Event], None] | None = None
        self._running = False

    async def start(self) -> None:
        """Ends what an earlier emulator left running, then brings every service to where it should be."""
        await asyncio.to_thread(end_leftovers, self.host.directory)
        await asyncio.to_thread(self._remove_leftover_directories, {str(key) for key, _ in self.services.items()})
        self._running = True
        for service in self.services.values():
            self.deployments[service.key] = Deployment(self, service)
        for group in self.groups.values():
            self._route_group(group)
        self.scaling.start()
        self.benchmarks.start()

    async def stop(self) -> None:
        """Ends every instance; the services are as before at the next `start`."""
        self._running = False
        await self.benchmarks.stop()
        await self.scaling.stop()
        await asyncio.gather(*(deployment.stop() for deployment in self.deployments.values()))
        self.deployments.clear()
        self.gateway.close()
        self._upstream.close()

    def find(self, region: str, name: str) -> Service:
        service = self.services.get(str(ServiceKey(region, name)))
        if service is None:
            raise ApiError("InvalidService.NotFound", f"Service [{name}] is not found in region [{region}].", 404)
        return service

    def find_instance(self, service: Service, name: str) -> Instance:
        instance = self.instances.get(f"{service.key}/{name}")
        if instance is None:
            raise ApiError("InvalidInstance.NotFound", f"Service [{service.name}] has no instance [{name}].", 404)
        return instance

    def home(self, key: ServiceKey) -> Path:
        """The directory of a service; each instance has one of its own name in it."""
        return self.host.directory / key.region / key.name

    def put(self, service: Service) -> None:
        """Stores what is wanted of a service, and has its instances follow."""
        self.services.put(str(service.key), service)
        if service.key in self.deployments:
            self.deployments[service.key].wake()
        elif self._running:
            self.deployments[service.key] = Deployment(self, service)

    def put_autoscaler(self, key: ServiceKey, autoscaler: Autoscaler) -> None:
        """Has a service scale by itself from now on, with nothing remembered of an earlier autoscaler."""
        self.autoscalers.put(str(key), autoscaler)
        self.scaling.forget(key)
        self.scaling.wake()

    def remove_autoscaler(self, key: ServiceKey) -> None:
        self.autoscalers.delete(str(key))
        self.scaling.forget(key)

    def find_resource_group(self, region: str, number: str) -> ResourceGroup:
        group = self.resource_groups.get(f"{region}/{number}")
        if group is None:
            message = f"Resource group [{number}] is not found in region [{region}]."
            raise ApiError("InvalidResource.NotFound", message, 404)
        return group

    def have_leave(self, key: ServiceKey, instance: str, at: datetime | None) -> None:
        """An instance loses its machine at `at`, or when another one has taken its place."""
        if key in self.deployments:
            self.deployments[key].have_leave(instance, at)

    def end_instance(self, key: ServiceKey, instance: str) -> None:
        """An instance's machine is gone; another instance takes its place."""
        if key in self.deployments:
            self.deployments[key].end(instance)

    def config_of(self, key: ServiceKey) -> ServiceConfig:
        return parse_config(self.find(*key).config)

    def find_group(self, region: str, name: str) -> Group:
        group = self.groups.get(str(ServiceKey(region, name)))
        if group is None:
            raise ApiError("InvalidGroup.NotFound", f"Group [{name}] is not found in region [{region}].", 404)
        return group

    def put_group(self, group: Group) -> None:
        self.groups.put(group.id, group)
        self._route_group(group)

    def remove_group(self, key: ServiceKey) -> None:
        self.groups.delete(str(key))
        self.routes.remove_group(key)

    def _route_group(self, group: Group) -> None:
        self.routes.put_group(GroupRoute(ServiceKey(group.region, group.name), group.token, group.traffic_mode))

    def version(self, key: ServiceKey, number: int) -> Version:
        version = self.versions.get(_version_key(key, number))
        if version is None:
            raise ApiError("InvalidVersion.NotFound", f"Service [{key.name}] has no version {number}.", 404)
        return version

    def put_version(self, key: ServiceKey, version: Version) -> None:
        self.versions.put(_version_key(key, version.number), version)

    def condition(self, service: Service) -> Condition:
        deployment = self.deployments.get(service.key)
        return deployment.condition(service) if deployment else Condition("Pending", "PENDING", "Not yet looked at")

    def record(self, key: ServiceKey, event: Event) -> None:
        """Keeps an event; the oldest ones of a service are forgotten."""
        number = self.numbers.next_number(f"{key}/event")
        self.events.put(f"{key}/{number:012d}", event)
        self.events.delete(f"{key}/{number - KEPT_EVENTS:012d}")
        if self.tell is not None:
            self.tell(key, event)

    def record_service_event(self, service: Service, reason: str, message: str, *, warning: bool = False) -> None:
        """An event of the service itself; its message has the form that DescribeServiceEvent documents."""
        ready = sum(instance.ready for instance in self.instances.values(f"{service.key}/"))
        details = {
            "versionId": service.version,
            "message": message,
            "availableInstance": ready,
            "unavailableInstance": max(0, service.replicas - ready),
        }
        kind = "Warning" if warning else "Normal"
        text = json.dumps(details, separators=(",", ":"))
        self.record(service.key, Event(time=self.now(), type=kind, resource="Service", reason=reason, message=text))

    def forget(self, key: ServiceKey) -> None:
        """Removes a deleted service whose last instance is gone."""
        with self.store.transaction():
            for of_service in (self.services, self.autoscalers, self.cronscalers):
                of_service.delete(str(key))
            for collection in (self.versions, self.instances, self.events):
                for document_key, _ in collection.items(f"{key}/"):
                    collection.delete(document_key)
            remove_empty_groups(self, key.region)
        self.routes.remove(key)
        self.deployments.pop(key, None)
        self.scaling.forget(key)

    def free_capacity(self) -> int:
        """How many more instances the machine takes."""
        return self.host.capacity - sum(len(deployment.replicas) for deployment in self.deployments.values())

    def wake_all(self) -> None:
        """An instance has gone: services that wait for a free place look again."""
        for deployment in self.deployments.values():
            deployment.wake()

    def _remove_leftover_directories(self, kept: set[str]) -> None:
        """Removes the directories of services that are no longer stored."""
        for directory in self.host.directory.glob("*/*"):
            if f"{directory.parent.name}/{directory.name}" not in kept:
                shutil.rmtree(directory)


def _version_key(key: ServiceKey, number: int) -> str:
    return f"{key}/{number:06d}"
