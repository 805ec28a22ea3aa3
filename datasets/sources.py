"""Where images come from: a folder, a zip, or a sample set. A source lists its images and opens them by name."""

import difflib
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from ..errors import UserError
from .samples import SAMPLE_PREFIX, Sample, find_sample

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
LABEL_FILES = ("labels.csv", "dataset.json")


class Source(Protocol):
    """place: for error lines. names: the images, sorted POSIX paths. label_files: those of LABEL_FILES it holds."""

    place: str

    @property
    def names(self) -> list[str]: ...

    @property
    def label_files(self) -> list[str]: ...

    def identity(self) -> str:
        """A digest that changes when a file is added, removed or written; it is found without reading the files."""
        ...

    def open(self, name: str) -> BinaryIO:
        """The bytes of an image or a label file as a seekable stream. Safe to call from several threads."""
        ...

    def read(self, name: str) -> bytes: ...


class FolderSource:
    """A folder of images, walked to any depth, symbolic links included."""

    def __init__(self, folder: Path):
        files = _walk(folder)
        top = common_top(files)
        self._root = folder / top
        self.place = str(self._root)
        self.names, self.label_files = _sort_out(files, top)

    def identity(self) -> str:
        stamps = [(name, *_stamp(self._root / name)) for name in [*self.names, *self.label_files]]
        return _digest([str(self._root.resolve()), stamps])

    def open(self, name: str) -> BinaryIO:
        return (self._root / name).open("rb")

    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()


class ZipSource:
    """A zip of images. It is read in place and never extracted, so the paths in it can do no harm."""

    def __init__(self, path: Path):
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise UserError(f"cannot read the zip {str(path)!r} ({error}): make or download it again") from None
        # some tools for Windows write backslashes
        infos = {info.filename.replace("\\", "/").lstrip("/"): info for info in self._zip.infolist()}
        files = [name for name in infos if _is_visible(name) and not name.endswith("/")]
        top = common_top(files)
        self.place = f"{path}/{top}".rstrip("/")
        self.names, self.label_files = _sort_out(files, top)
        self._infos = {name: infos[top + name] for name in [*self.names, *self.label_files]}

    def identity(self) -> str:
        return _digest([(name, info.file_size, info.CRC) for name, info in self._infos.items()])

    def open(self, name: str) -> BinaryIO:
        return cast(BinaryIO, self._zip.open(self._infos[name]))

    def read(self, name: str) -> bytes:
        return self._zip.read(self._infos[name])

    def close(self) -> None:
        self._zip.close()


class SampleSource:
    """A sample set. Its package is looked for only when names or images are asked for, not for its identity."""

    def __init__(self, sample: Sample):
        self.place = SAMPLE_PREFIX + sample.name
        self.label_files: list[str] = []
        self._sample = sample

    @cached_property
    def _files(self) -> Mapping[str, Callable[[], bytes]]:
        return self._sample.files()

    @property
    def names(self) -> list[str]:
        return sorted(self._files)

    def identity(self) -> str:
        return _digest([self._sample.name, self._sample.version])

    def open(self, name: str) -> BinaryIO:
        return io.BytesIO(self.read(name))

    def read(self, name: str) -> bytes:
        return self._files[name]()


@contextmanager
def open_source(source: str) -> Iterator[Source]:
    """Open a folder path, a .zip path or sample:NAME. UserError if there is no such thing."""
    if source.startswith(SAMPLE_PREFIX):
        yield SampleSource(find_sample(source.removeprefix(SAMPLE_PREFIX)))
        return
    path = Path(source)
    if path.is_dir():
        yield FolderSource(path)
    elif path.suffix.lower() == ".zip" and path.is_file():
        archive = ZipSource(path)
        try:
            yield archive
        finally:
            archive.close()
    elif path.exists():
        raise UserError(f"{source!r} is a file: give a folder of images, a .zip of it, or sample:elpv")
    else:
        raise UserError(f"there is no {source!r}: {_nearest_sibling(path)}")


def common_top(files: Iterable[str]) -> str:
    """The folder to start from, "" or "a/b/": a folder that holds all the images is looked through.

    A folder with a label file is not looked through, for the names in the label file start there.
    """
    files = set(files)
    images = [name for name in files if _is_image(name)]
    top = ""
    while images and not any(top + label_file in files for label_file in LABEL_FILES):
        firsts = {name[len(top) :].partition("/")[:2] for name in images}
        first, slash = firsts.pop()
        if firsts or not slash:
            break
        top += first + "/"
    return top


def require_images(source: Source) -> list[str]:
    """The names of the source's images. UserError if there are none."""
    names = source.names
    if not names:
        suffixes = " ".join(IMAGE_SUFFIXES)
        raise UserError(f"no image files in {source.place!r}: put images there ({suffixes})")
    return names


def _walk(folder: Path) -> list[str]:
    """Visible files of the folder, as POSIX paths relative to it. A folder that links lead to twice is walked once."""
    seen: set[str] = set()
    files: list[str] = []
    try:
        for path, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
            real = os.path.realpath(path)
            folders[:] = sorted(name for name in folders if _is_visible(name)) if real not in seen else []
            if real in seen:
                continue
            seen.add(real)
            relative = Path(path).relative_to(folder)
            files += [(relative / name).as_posix() for name in names if _is_visible(name)]
    except OSError as error:
        raise UserError(f"cannot read the folder {str(folder)!r} ({error}): check its permissions") from None
    return files


def _stamp(path: Path) -> tuple[int, int]:
    """(bytes, time of the last change in ns) of a file; of the link itself when it leads nowhere."""
    stat = path.stat() if path.exists() else path.lstat()
    return stat.st_size, stat.st_mtime_ns


def _raise(error: OSError) -> None:
    raise error


def _sort_out(files: Iterable[str], top: str) -> tuple[list[str], list[str]]:
    """(images, label files) below `top`, sorted."""
    below = sorted(name[len(top) :] for name in files if name.startswith(top))
    return [name for name in below if _is_image(name)], [name for name in below if name in LABEL_FILES]


def _is_visible(name: str) -> bool:
    return not any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in name.split("/"))


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _nearest_sibling(path: Path) -> str:
    """The end of an error line: the folder or zip beside a missing path that is most like it."""
    try:
        siblings = [p.name for p in path.parent.iterdir() if p.is_dir() or p.suffix.lower() == ".zip"]
    except OSError:
        siblings = []
    close = difflib.get_close_matches(path.name, siblings, n=1, cutoff=0.5)
    if close:
        return f"did you mean {str(path.parent / close[0])!r}?"
    return "give a folder of images, a .zip of it, or sample:elpv"
