"""The sources of images: a folder, a zip, tars, a sample set. A source lists its images and opens them by name."""

import difflib
import errno
import hashlib
import io
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from ...errors import UserError, first_line
from ...files import user_path
from .formats import FIRST, IMAGE_SUFFIXES, OtherFiles, images_of, is_visible, summary_of_files
from .samples import SAMPLE_PREFIX, Sample, find_sample
from .tars import label_file, members_of, says_labels, shards_of
from .unreadable import UnreadableForNow, refusal, unreadable_error

LABEL_FILES = ("labels.csv", "dataset.json", "metadata.csv", "metadata.jsonl")  # the last two are Hugging Face's
TABLE_SUFFIXES = (".csv", ".tsv", ".xlsx", ".xls", ".ods")
# Bytes above which a file is refused unread. Of a label file they hold half a million lines, and as Python's lists take
# some ten times as much; of an image they are the most pixels that Pillow decodes (179 million), in three colours
MOST_LABELS = 2**26
MOST_IMAGE = 2**29
UTF_8 = 0x800  # a flag of zip
ARCHIVE_DAMAGE = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    MemoryError,
    zipfile.BadZipFile,
    struct.error,
    zlib.error,
)
DEEPEST = 100  # folders in folders: the way to each is followed for links, and os.walk calls itself for each


class Source(Protocol):
    """place: for error lines. names: the images, sorted POSIX paths. label_files: those of LABEL_FILES it holds.

    tables: other tables at the top, or in folders above it, that may have been meant as one. rest: what else lies
    there.
    """

    place: str
    rest: OtherFiles

    @property
    def names(self) -> list[str]: ...

    @property
    def label_files(self) -> list[str]: ...

    @property
    def tables(self) -> list[str]: ...

    def identity(self) -> str:
        """A digest that changes when a file is added, removed or written; it is found without reading the files."""
        ...

    def open(self, name: str) -> BinaryIO:
        """The bytes of an image or a label file as a seekable stream. Safe to call from several threads.

        OSError for a file that is too large or no plain file, among all that reading damaged files raises.
        """
        ...

    def read(self, name: str) -> bytes: ...


class FolderSource:
    """A folder of images, walked to any depth, symbolic links included."""

    def __init__(self, folder: Path):
        files, folders = _walk(folder)
        images = images_of(files, lambda name: _first_bytes(name, lambda: _open_file(f"{folder}/{name}")))
        top = common_top(files, images)
        self._root = folder / top
        self.place = str(self._root)
        self.names, self.label_files = _sort_out(files, images, top)
        self.tables = _other_tables(files, top)
        self.rest = _rest(files, folders, images, top)

    def identity(self) -> str:
        stamps = [(name, *_stamp(self._root / name)) for name in [*self.names, *self.label_files]]
        return _digest([str(self._root.resolve()), stamps, self.tables])

    def open(self, name: str) -> BinaryIO:
        return _open_file(f"{self.place}/{name}")

    def read(self, name: str) -> bytes:
        with self.open(name) as stream:
            return stream.read()


class ZipSource:
    """A zip of images. It is read in place and never extracted, so the paths in it can do no harm."""

    def __init__(self, path: Path):
        try:
            self._zip = zipfile.ZipFile(path)
        except ARCHIVE_DAMAGE as error:
            reason = first_line(error)
            line = f"cannot read the zip {str(path)!r} ({reason}): make or download it again"
            raise refusal(error, str(path), line) from None
        infos = {_plain(_member_name(info)): info for info in self._zip.infolist()}
        files = [name for name in infos if is_visible(name) and not name.endswith("/")]
        images = images_of(files, lambda name: _first_bytes(name, lambda: self._open(name, infos[name])))
        top = common_top(files, images)
        self.place = f"{path}/{top}".rstrip("/")
        self.names, self.label_files = _sort_out(files, images, top)
        self.tables = _other_tables(files, top)
        folders = [name[:-1] for name in infos if is_visible(name) and name.endswith("/")]
        self.rest = _rest(files, folders, images, top)
        self._infos = {name: infos[top + name] for name in [*self.names, *self.label_files]}

    def identity(self) -> str:
        return _digest([[(name, info.file_size, info.CRC) for name, info in self._infos.items()], self.tables])

    def open(self, name: str) -> BinaryIO:
        return self._open(name, self._infos[name])

    def _open(self, name: str, info: zipfile.ZipInfo) -> BinaryIO:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # of others zipfile expands all that it has read at once, whatever size the zip declares
            raise OSError(errno.EINVAL, "not packed by zip's usual method (deflate): zip it again")
        _check_size(name, info.file_size)  # zipfile reads no further than that
        return cast(BinaryIO, self._zip.open(info))

    def read(self, name: str) -> bytes:
        with self.open(name) as stream:
            return stream.read()

    def close(self) -> None:
        self._zip.close()


def _plain(member: str) -> str:
    """A member's name with slashes (some tools for Windows write backslashes), without parts that lead nowhere."""
    folder = "/" if member.endswith(("/", "\\")) else ""
    return "/".join(part for part in member.replace("\\", "/").split("/") if part not in ("", ".")) + folder


class TarSource:
    """Tar files, as one set: of class folders, or WebDataset's shards, whose labels it has as a dataset.json."""

    def __init__(self, tars: Sequence[Path], place: str):
        several = len(tars) > 1
        members = {
            (f"{tar.name}/" if several else "") + name: member
            for tar in tars
            for name, member in members_of(tar).items()
            if is_visible(name)
        }
        images = images_of(members, lambda name: _first_bytes(name, members[name].open))
        shards = says_labels(members)
        top = "" if several or shards else common_top(members, images)
        self.place = f"{place}/{top}".rstrip("/")
        self.names, self.label_files = _sort_out(members, images, top)
        self._members = {name: members[top + name] for name in [*self.names, *self.label_files]}
        self._shard_members = members if shards and not self.label_files else {}
        self.label_files = ["dataset.json"] if self._shard_members else self.label_files
        beside = [] if shards else members
        self.tables: list[str] = []
        self.rest = _rest(beside, [], images, top)
        self._stamps = [(str(tar), *_stamp(tar)) for tar in tars]

    def identity(self) -> str:
        return _digest(self._stamps)

    def open(self, name: str) -> BinaryIO:
        if self._shard_members and name in self.label_files:
            return io.BytesIO(label_file(self._shard_members, self.names))
        member = self._members[name]
        _check_size(name, member.size)
        return member.open()

    def read(self, name: str) -> bytes:
        with self.open(name) as stream:
            return stream.read()


class SampleSource:
    """A sample set. Its package is looked for only when names or images are asked for, not for its identity."""

    def __init__(self, sample: Sample):
        self.place = SAMPLE_PREFIX + sample.name
        self.label_files: list[str] = []
        self.tables: list[str] = []
        self.rest = OtherFiles()
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
    """Open a folder, a .zip, a .tar, "set-{000..003}.tar" or sample:NAME. UserError if there is no such thing."""
    if source.startswith(SAMPLE_PREFIX):
        yield SampleSource(find_sample(source.removeprefix(SAMPLE_PREFIX)))
        return
    path = user_path(source)
    try:
        exists = path.exists()
    except OSError as error:  # a name that is too long, or a folder above it that may not be looked into
        raise UserError(f"cannot open {source!r:.300} ({first_line(error)}): check its name and permissions") from None
    shards = shards_of(source) if path.suffix.lower() == ".tar" else []
    if path.is_dir():
        folder = FolderSource(path)
        inside = [path / name for name in folder.rest.files if name.lower().endswith(".tar")]
        yield folder if folder.names or not inside else TarSource(inside, source)
    elif shards and all(shard.is_file() for shard in shards):
        yield TarSource(shards, source)
    elif path.suffix.lower() == ".zip" and path.is_file():
        archive = ZipSource(path)
        try:
            yield archive
        finally:
            archive.close()
    elif exists:
        raise UserError(f"{source!r} is a file: give a folder of images, a .zip or .tar of it, or sample:elpv")
    else:
        raise UserError(f"there is no {source!r}: {_nearest_sibling(path)}")


def common_top(files: Iterable[str], images: Collection[str]) -> str:
    """The folder to start from, "" or "a/b/": a folder that holds all the images is looked through.

    A folder with a label file is not looked through, for the names in the label file start there.
    """
    files = set(files)
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
    if not names and source.rest.files:
        raise UserError(f"no image files in {source.place!r}: {summary_of_files(source.rest.files)}")
    if not names:
        suffixes = " ".join(IMAGE_SUFFIXES)
        raise UserError(f"no image files in {source.place!r}: put images there ({suffixes})")
    return names


def _walk(folder: Path) -> tuple[list[str], list[str]]:
    """Visible files of the folder, and folders in it, as POSIX paths relative to it. A folder that links lead to twice
    is walked once."""
    seen: set[str] = set()
    files: list[str] = []
    inside: list[str] = []
    try:
        for path, folders, names in os.walk(folder, followlinks=True, onerror=_raise):
            real = os.path.realpath(path)
            folders[:] = sorted(name for name in folders if is_visible(name)) if real not in seen else []
            if real in seen:
                continue
            seen.add(real)
            relative = Path(path).relative_to(folder)
            if len(relative.parts) > DEEPEST:
                raise UserError(f"the folder {str(folder)!r} has folders in folders, {DEEPEST} deep: flatten it")
            files += [(relative / name).as_posix() for name in names if is_visible(name)]
            inside += [(relative / name).as_posix() for name in folders]
    except OSError as error:
        raise UserError(f"cannot read the folder {str(folder)!r} ({error}): check its permissions") from None
    return files, inside


def _open_file(path: str) -> BinaryIO:
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):  # to open a pipe would wait for ever
        raise OSError(errno.EINVAL, "no plain file")
    _check_size(os.path.basename(path), found.st_size)
    return open(path, "rb")


def _first_bytes(name: str, open_: Callable[[], BinaryIO]) -> bytes:
    """b"" of a file that is damaged or no plain file. `UnreadableForNow.stop` where it may be an image another day."""
    try:
        with open_() as stream:
            return stream.read(FIRST)
    except ARCHIVE_DAMAGE as error:
        found = unreadable_error(error, first_line(error))
        if isinstance(found, UnreadableForNow):
            raise found.stop(name) from None
        return b""


def _stamp(path: Path) -> tuple[int, int]:
    """(bytes, time of the last change in ns) of a file; (-1, -1) where there is none, as where a link leads nowhere."""
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def is_text(name: str) -> bool:
    """Whether a name can be written to files, unlike bytes of another encoding than UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _check_size(name: str, size: int) -> None:
    most = MOST_LABELS if name in LABEL_FILES else MOST_IMAGE
    if size > most:
        raise OSError(errno.EFBIG, f"{size / 2**20:.0f} MiB, more than {most // 2**20}")


def _raise(error: OSError) -> None:
    raise error


def _sort_out(files: Iterable[str], images: Collection[str], top: str) -> tuple[list[str], list[str]]:
    """(images, label files) below `top`, sorted."""
    below = sorted(name for name in files if name.startswith(top))
    names = [name[len(top) :] for name in below if name in images]
    return names, [name[len(top) :] for name in below if name[len(top) :] in LABEL_FILES]


def _other_tables(files: Iterable[str], top: str) -> list[str]:
    """Tables in `top` and the folders above it that are no label files, sorted."""
    tables = [name for name in files if name.lower().endswith(TABLE_SUFFIXES)]
    return sorted(
        name
        for name in tables
        if top.startswith(name[: name.rfind("/") + 1]) and name.removeprefix(top) not in LABEL_FILES
    )


def _member_name(info: zipfile.ZipInfo) -> str:
    """Python takes names that are not marked as UTF-8 for cp437; macOS' Finder writes UTF-8 without the mark."""
    if info.flag_bits & UTF_8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def _rest(files: Iterable[str], folders: Iterable[str], images: set[str], top: str) -> OtherFiles:
    label_files = {top + name for name in LABEL_FILES}
    return OtherFiles(top, sorted(name for name in set(files) - images - label_files), sorted(folders))


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
    return "give a folder of images, a .zip or .tar of it, or sample:elpv"
