"""The folder in which projections are gathered. What lies in it outlives a killed process, which goes on from there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import check_folder, write_text
from ..folders import begin_or_go_on, locked_folder

OPTIONS_FILE = "options.json"


@dataclass(frozen=True)
class Record:
    """The measurements of an image. pixels: the digest of the target. untuned: the distance before tuning."""

    file: str
    label: str
    pixels: str
    perceptual: float
    untuned: float
    psnr: float
    ssim: float


class ResultFolder:
    """The folder `path`; records are in its .records."""

    def __init__(self, path: Path):
        self.path = path
        self._records = path / ".records"

    def check_unused(self) -> None:
        """Raises UserError for a folder that cannot be written, or that holds files of others."""
        if check_folder(self.path) and not self._records.is_dir():
            raise UserError(f"`out` {self.path}: it exists already and holds something else, give a new folder")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder and holds its lock. A second process there, or files of others, is a UserError."""
        self.check_unused()
        busy, beside = "another process is writing there, wait for it", [self.path, self.mask_file("").parent]
        with locked_folder(self._records, self.path, busy, beside):
            yield

    def begin(self, options: dict[str, Any]) -> None:
        """Notes what is projected, and how. What was begun with something else is a UserError and stays as it is."""
        begin_or_go_on(self.path / OPTIONS_FILE, options, self.path)

    def files(self, name: str, tune: bool) -> list[Path]:
        """The files of an image: its picture, its latent, and with tuning the differences."""
        suffixes = ("png", "npz", "safetensors") if tune else ("png", "npz")
        return [self.path / f"{name}.{suffix}" for suffix in suffixes]

    def mask_file(self, name: str) -> Path:
        """The file of what the generator marks, where it makes masks."""
        return self.path / "masks" / f"{name}.png"

    def write(self, name: str, record: Record) -> None:
        """Writes the record, which must come last: an image with a record is done."""
        write_text(self._records / f"{name}.json", json.dumps(asdict(record)))

    def read(self, name: str) -> Record | None:
        path = self._records / f"{name}.json"
        return Record(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def part(self, key: str) -> Path:
        """The file for the distances of a batch of known images."""
        return self._records / f"coverage-{key}.part"
