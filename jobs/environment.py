"""The environment in which a stack's commands run: the engine's variables, and the way to the target and no other."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from cloud.target import LOOPBACK_UNPROXIED, Credentials, Target, provider_credentials
from engine.environment import ROOT, pulumi_environment

_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def target_environment(target: Target, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that lead to `target`, to be set on top of `environ`.

    The emulator's key is its own. The cloud's is the caller's, under every name that somebody reads; TargetError when
    there is none.
    """
    if target.emulator:
        return target.environment()
    return target.environment() | provider_credentials(Credentials.from_environment(target, environ))


def offline_environment(target: Target) -> dict[str, str]:
    """Variables for a look at what a new stack would become, without an account and without a network.

    The provider insists on a key, so it gets one that opens nothing; and for TLS, which every call to the cloud uses, a
    proxy that is not there, so that nothing leaves the machine.
    """
    nowhere = {**dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9"), **LOOPBACK_UNPROXIED}
    nobody = Credentials(access_key_id="offline", access_key_secret="offline")  # noqa: S106 - opens nothing
    return target.environment() | provider_credentials(nobody) | nowhere


def command_environment(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a child process that runs Pulumi, with `settings` from above."""
    unwanted = loopback_proxies(environ)
    inherited = {name: value for name, value in environ.items() if name not in unwanted}
    return {**pulumi_environment(ROOT, inherited), **settings}


def loopback_proxies(environ: Mapping[str, str]) -> list[str]:
    """Names of proxy variables that lead to an emulator, perhaps another stack's."""
    return [name for name in _PROXIES if _on_loopback(environ.get(name, ""))]


def _on_loopback(url: str) -> bool:
    return urlsplit(url if "://" in url else f"//{url}").hostname in ("127.0.0.1", "localhost", "::1")
