"""What `--data` names."""

from pathlib import Path

from model.dataset import DataError, Source
from model.fashion_mnist import TRAIN, FashionMnist, images_path
from model.image_folder import ImageFolder
from model.prepared import DESCRIPTION, PreparedFolder

SAMPLE = Path(__file__).parent / "sample"
DEBIAN_PACKAGE = Path("/usr/share/datasets/fashion-mnist")


def find(data: str, whole: Path = DEBIAN_PACKAGE) -> Source:
    """The source that `data` names: `sample`, `fashion-mnist` (lies in `whole`), or a folder. Raises DataError."""
    if data == "sample":
        return FashionMnist(SAMPLE)
    if data == "fashion-mnist":
        if not whole.is_dir():
            raise DataError(
                f"--data fashion-mnist: there is no {whole}; `apt-get install dataset-fashion-mnist`, "
                "or name a folder with the four idx files, or take --data sample"
            )
        return FashionMnist(whole)
    folder = Path(data)
    if not folder.is_dir():
        raise DataError(f"--data {data}: no such folder; allowed: sample, fashion-mnist, or a folder of images")
    if (folder / DESCRIPTION).exists():
        return PreparedFolder(folder)
    return FashionMnist(folder) if images_path(folder, TRAIN).exists() else ImageFolder(folder)
