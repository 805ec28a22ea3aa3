"""Which files are images: by their suffix, and if that tells nothing, by their first bytes; and what the others are."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from .picture_names import file_of

ARRAY = ".npy"
IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2", ".j2k", ".avif"),
    *(".ppm", ".pgm", ".pnm", ".pbm", ".dcm", ".dicom", ARRAY),
)
# what lies beside images and surprises nobody
COMPANIONS = (
    *(".txt", ".md", ".json", ".jsonl", ".csv", ".tsv", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".log"),
    *(
        ".html",
        ".htm",
        ".doc",
        ".docx",
        ".rtf",
        ".xls",
        ".xlsx",
        ".ods",
        ".bib",
        ".url",
        ".lnk",
        ".md5",
        ".xmp",
        ".aae",
    ),
    *(".py", ".ipynb", ".sh", ".bat", ".mat", ".npz", ".pkl", ".pt", ".pth", ".h5", ".hdf5", ".parquet", ".cache"),
)
PHOTOGRAPHS = (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".raf", ".rw2", ".pef", ".srw", ".raw")
VOLUMES = (".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".mgz")
VIDEOS = (".webm", ".mp4", ".avi", ".mov", ".mkv", ".m4v")
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz")
OTHERS = (".heic", ".heif", ".svg", ".pdf", ".eps", ".psd", ".jxl", ".tga", ".exr", ".hdr", ".ico", ".mp3", ".wav")
# what to do about files that hold pictures and cannot be read
REMEDIES = {
    **dict.fromkeys((".heic", ".heif", ".jxl", ".psd", ".tga", ".exr", ".hdr", ".ico"), "convert them to PNG or TIFF"),
    **dict.fromkeys((".svg", ".pdf", ".eps"), "draw them as PNG"),
    **dict.fromkeys(PHOTOGRAPHS, "develop them to TIFF or PNG"),
    **dict.fromkeys(VOLUMES, "save their slices as PNG, TIFF or .npy"),
    **dict.fromkeys(VIDEOS, "save their frames as PNG"),
    **dict.fromkeys(ARCHIVES, "unpack them"),
}
KNOWN = (*IMAGE_SUFFIXES, *COMPANIONS, *OTHERS, *REMEDIES)
NO_IMAGES = ("dicomdir", "license", "licence", "readme", "makefile", "version")  # names without a suffix
FIRST = 160  # bytes that suffice: DICOM's mark ends at 132
MAGIC = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|II[*+]\0|MM\0[*+]|RIFF....WEBP|BM....\0\0\0\0....[\x0c\x28\x6c\x7c]\0\0\0"
    rb"|\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51|....ftypavi[fs]|P[1-6]\s+[\d#]|\x93NUMPY|.{128}DICM",
    re.DOTALL,
)
# names of files and folders that nobody put there: of macOS, Windows, NAS and photograph programs. Those that begin
# with a dot are hidden anyway
LEFT_BEHIND = re.compile(
    r"__MACOSX|@eaDir|@Recycle|#recycle|#snapshot|\$RECYCLE\.BIN|RECYCLER|System Volume Information|lost\+found"
    r"|Network Trash Folder|Temporary Items|thumbs\.db|ehthumbs\.db|desktop\.ini|_thumbs?|_?thumbnails"
    r"|__pycache__|Previews\.lrdata|.+\.lrdata|.+ Previews\.lrdata|Originals\.picasa|picasa\.ini|Icon\r",
    re.IGNORECASE | re.DOTALL,
)


def images_of(files: Iterable[str], first_bytes: Callable[[str], bytes]) -> set[str]:
    """The files that are images. first_bytes: called for those whose suffix is unknown or missing, and only for those.

    An array (.npy) is an image where no image of another format lies in its folder or below: otherwise it holds
    features or masks of those.
    """
    names = list(files)
    images = {name for name in names if name.lower().endswith(IMAGE_SUFFIXES)}
    images |= {name for name in names if name not in images and _is_unknown(name) and MAGIC.match(first_bytes(name))}
    arrays = {name for name in images if name.lower().endswith(ARRAY)}
    holding = {str(folder) for name in (images - arrays if arrays else ()) for folder in PurePosixPath(name).parents}
    return {name for name in images if name not in arrays or str(PurePosixPath(name).parent) not in holding}


def summary_of_files(others: Collection[str]) -> str:
    """ "12 files are no images that can be read: 10 .heic, 2 .txt", with what to do about them."""
    counts: dict[str, int] = {}
    for name in others:
        suffix = suffix_of(name)
        counts[suffix] = counts.get(suffix, 0) + 1
    most = sorted(counts, key=lambda suffix: (-counts[suffix], suffix))
    kinds = ", ".join(f"{counts[suffix]} {suffix or 'without suffix'}" for suffix in most[:8])
    more = f" and {sum(counts[suffix] for suffix in most[8:])} others" if len(most) > 8 else ""
    remedies: dict[str, list[str]] = {}
    for suffix in most:
        if suffix in REMEDIES:
            remedies.setdefault(REMEDIES[suffix], []).append(suffix)
    what = "".join(f"; {' '.join(suffixes)}: {remedy}" for remedy, suffixes in remedies.items())
    files = "1 file is no image" if len(others) == 1 else f"{len(others)} files are no images"
    return f"{files} that can be read: {kinds}{more}{what}"


def is_companion(name: str) -> bool:
    """Whether a file that is no image may lie beside images without a word."""
    return name.lower().endswith((*COMPANIONS, ARRAY)) or _base(name) in NO_IMAGES


def suffix_of(name: str) -> str:
    """The suffix of a file with its dot, in small letters; "" without one."""
    base = _base(name)
    suffix = PurePosixPath(base).suffix
    return ".nii.gz" if base.endswith(".nii.gz") else suffix if len(suffix) <= 12 and suffix.isprintable() else ""


def _is_unknown(name: str) -> bool:
    # a name like that of a picture in a file could not be told from one
    return not name.lower().endswith(KNOWN) and _base(name) not in NO_IMAGES and file_of(name) == name


def _base(name: str) -> str:
    return name.lower().rpartition("/")[2]


@dataclass(frozen=True)
class OtherFiles:
    """The files in a source beside images and label files, as paths from its root. top: the part of it that its images'
    names begin at, "" or "a/b/". files: the others. folders: all of those that are known."""

    top: str = ""
    files: Sequence[str] = ()
    folders: Sequence[str] = ()


def is_visible(name: str) -> bool:
    """Whether a path has no part that is hidden, or that a system has left behind."""
    return not any((part.startswith(".") and part != "..") or _is_left_behind(part) for part in name.split("/"))


def _is_left_behind(part: str) -> bool:
    return LEFT_BEHIND.fullmatch(part) is not None


def lines_on_other_files(rest: OtherFiles) -> tuple[str | None, str | None]:
    """Lines on files that are no images: (on all of them, on those that are no companions of images)."""
    strange = [name for name in rest.files if not is_companion(name)]
    return summary_of_files(rest.files) if rest.files else None, summary_of_files(strange) if strange else None
