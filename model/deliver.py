"""Brings an artefact to where versions are kept: `python -m model.deliver ARTEFACT FOLDER` makes FOLDER/VERSION/.

The manifest is written last: who sees it sees a whole version. A version that is there already is left alone.
"""

import shutil
import sys
from pathlib import Path

from model import artefact


def deliver(source: Path, versions: Path) -> Path:
    """The folder of the version. Raises ArtefactError when there is no whole artefact, OSError."""
    manifest = artefact.read(source)
    if manifest is None:
        raise artefact.ArtefactError(f"{source}: holds no whole artefact; train again")
    target = versions / manifest.version
    if artefact.read(target) is None:
        target.mkdir(parents=True, exist_ok=True)
        for name in (*manifest.files, artefact.MANIFEST):
            shutil.copyfile(source / name, target / name)
    return target


if __name__ == "__main__":
    try:
        sys.stdout.write(f"stored {deliver(Path(sys.argv[1]), Path(sys.argv[2]))}\n")
    except (artefact.ArtefactError, OSError) as error:
        sys.exit(f"error: {error}")
