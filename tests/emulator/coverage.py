"""`python -m tests.emulator.coverage` writes emulator/COVERAGE.md: what the emulator has of what the SDKs know."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from emulator.app import Emulator
from emulator.operations import Product
from emulator.services.oss.operations import operations as oss_operations
from emulator.state import Settings, State
from tests.emulator.contract import PACKAGES, sdk_operations
from tests.emulator.contract_oss import sdk_oss_operations

PAGE = Path(__file__).resolve().parents[2] / "emulator" / "COVERAGE.md"
TITLES = {
    "oss": "OSS",
    "eas": "PAI-EAS",
    "pai-dsw": "PAI-DSW",
    "aiworkspace": "AIWorkSpace",
    "cms": "CloudMonitor",
    "ram": "RAM",
    "sts": "STS",
    "location": "Location",
}
HEAD = """\
# What the emulator has

Written by `make coverage` from the operations that the emulator registers, held against those that the vendor's SDKs
know. A ticked operation takes the parameters that it declares and refuses others; what is not ticked is refused by
name. How the emulator differs from the cloud is said in [docs/emulator.md](../docs/emulator.md).
"""


def page() -> str:
    """The text of COVERAGE.md."""
    with tempfile.TemporaryDirectory() as folder:
        state = State(Settings(data_dir=Path(folder), port=0))
        products = {product.name: product for product in Emulator(state).products}
        state.store.close()
    emulated = {name: set(product.operations) for name, product in products.items()} | {"oss": set(oss_operations)}
    known = {name: set(sdk_operations(name)) for name in PACKAGES} | {"oss": set(sdk_oss_operations())}
    sections = [_section(title, emulated[name], known[name]) for name, title in TITLES.items()]
    rows = [_row(title, emulated[name], known[name]) for name, title in TITLES.items()]
    further = [_without_sdk(product) for name, product in sorted(products.items()) if name not in TITLES]
    table = "| API | emulated | known to the SDK |\n|---|---|---|\n" + "\n".join(rows)
    return "\n".join([HEAD, table, "\nWithout a published SDK:\n", *further, "", *sections])


def _row(title: str, emulated: set[str], known: set[str]) -> str:
    return f"| [{title}](#{title.lower()}) | {len(emulated & known)} | {len(known)} |"


def _section(title: str, emulated: set[str], known: set[str]) -> str:
    return f"## {title}\n\n{_ticks(emulated, known)}\n"


def _ticks(emulated: set[str], known: Iterable[str]) -> str:
    return "\n".join(f"- [{'x' if name in emulated else ' '}] {name}" for name in sorted(known))


def _without_sdk(product: Product) -> str:
    names = ", ".join(sorted(product.operations)) or "nothing"
    return f"- {product.name} {product.version}: {names}"


if __name__ == "__main__":
    PAGE.write_text(page())
