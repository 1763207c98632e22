"""Fashion-MNIST: 28 x 28 grey product images of ten kinds, in the idx files of its makers.

Source: https://github.com/zalandoresearch/fashion-mnist (MIT).
"""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.dataset import DataError, Dataset, InputSpec, Part

LABELS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
TRAIN, TEST = "train", "t10k"
SIZE = 28


@dataclass(frozen=True)
class FashionMnist:
    """A folder with the four idx files, of the whole set or of a part of it."""

    folder: Path
    version = None

    def input_spec(self, size: int | None, channels: int | None) -> InputSpec:
        """The images as they are; another size or colour is refused with DataError."""
        if size not in (None, SIZE):
            raise DataError(f"--size {size}: the images of {self.folder} are {SIZE} pixels a side; leave it out")
        if channels not in (None, 1):
            raise DataError(f"--channels {channels}: the images of {self.folder} are grey; leave it out")
        return InputSpec(size=SIZE, channels=1, background="black")

    def fingerprint(self) -> str:
        """sha256 over the four files."""
        digest = hashlib.sha256()
        for path in (f(self.folder, part) for part in (TRAIN, TEST) for f in (images_path, labels_path)):
            digest.update(_read(path))
        return digest.hexdigest()

    def load(self, _spec: InputSpec) -> Dataset:
        """The makers' own split: their training images, and their test images held back."""
        return Dataset(LABELS, *(self._part(part) for part in (TRAIN, TEST)))

    def _part(self, part: str) -> Part:
        images = read_idx(images_path(self.folder, part))
        labels = read_idx(labels_path(self.folder, part))
        if images.shape[1:] != (SIZE, SIZE) or labels.shape != images.shape[:1] or not labels.size:
            raise DataError(
                f"{self.folder}: the {part} files hold images of shape {images.shape} and labels of shape "
                f"{labels.shape}; Fashion-MNIST has (n, {SIZE}, {SIZE}) and (n,), n at least 1"
            )
        if labels.max() >= len(LABELS):
            raise DataError(f"{labels_path(self.folder, part)}: class {labels.max()}, but there are 0 to 9")
        return Part(images[:, None], labels.astype(np.int64))


def images_path(folder: Path, part: str) -> Path:
    return folder / f"{part}-images-idx3-ubyte.gz"


def labels_path(folder: Path, part: str) -> Path:
    return folder / f"{part}-labels-idx1-ubyte.gz"


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The bytes of a gzipped idx file in their shape; http://yann.lecun.com/exdb/mnist describes the format."""
    try:
        content = gzip.decompress(_read(path))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a whole gzip file ({error}); copy it again") from error
    dimensions = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    data_at = 4 + 4 * dimensions
    shape = tuple(np.frombuffer(content[4:data_at], ">u4").tolist()) if len(content) >= data_at else ()
    if not shape or len(content) - data_at != int(np.prod(shape, dtype=np.int64)):
        raise DataError(f"{path}: not an idx file of bytes, or cut off; copy it again")
    return np.frombuffer(content, np.uint8, offset=data_at).reshape(shape)


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Write what read_idx reads; the same array gives the same content."""
    header = b"\0\0\x08" + bytes([array.ndim]) + np.asarray(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes(), compresslevel=9, mtime=0))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; a Fashion-MNIST folder holds four idx files") from error
