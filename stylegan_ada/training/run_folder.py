"""The folder of a run: its lock, its configuration, its checkpoints."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..checkpoint import TrainingState
from ..config import RunConfig, from_json, to_json
from ..errors import UserError
from ..files import write_text
from ..folders import LOCK_FILE, locked_folder

CONFIG_FILE = "config.json"
OPTIONS_FILE = "options.json"


class RunFolder:
    """Names and keeps the files of one run."""

    def __init__(self, path: Path):
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder and holds its lock. A second process in the same folder is a UserError."""
        with locked_folder(self.path, self.path, "another process is training there, wait or use another folder"):
            yield

    def has_begun(self) -> bool:
        """Whether there is something to go on from. A run that ended before its first checkpoint may begin anew."""
        return (self.path / CONFIG_FILE).exists() and bool(self.checkpoints())

    def check_unused(self) -> None:
        """A folder that holds something else than a run is a UserError: nothing is written among other files."""
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"--out {self.path}: that is a file, give a folder")
        if not self.path.exists() or (self.path / CONFIG_FILE).exists():
            return
        others = {item.name for item in self.path.iterdir()} - {LOCK_FILE, OPTIONS_FILE}
        if others:
            raise UserError(f"--out {self.path}: the folder holds other files ({min(others)}), give a new one")

    def read_config(self) -> RunConfig:
        try:
            return from_json(RunConfig, (self.path / CONFIG_FILE).read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{self.path}: not a run folder ({error.strerror}: {CONFIG_FILE})") from None
        except UserError as error:
            raise UserError(f"{self.path / CONFIG_FILE}: {error}") from None

    def write_config(self, config: RunConfig) -> None:
        write_text(self.path / CONFIG_FILE, to_json(config) + "\n")

    def read_options(self) -> dict[str, Any]:
        """The options as they were given on the command line when the run began."""
        path = self.path / OPTIONS_FILE
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: cannot be read ({error}), so the run cannot go on, use a new --out") from None

    def write_options(self, options: dict[str, Any]) -> None:
        write_text(self.path / OPTIONS_FILE, json.dumps(options, indent=2) + "\n")

    def checkpoints(self) -> list[Path]:
        """All checkpoints, the oldest first."""
        return sorted(self.path.glob("checkpoint-*.pt"))

    def save_checkpoint(self, state: TrainingState, keep: int) -> None:
        """Writes a checkpoint, then deletes all but the newest `keep`."""
        state.save(self.path / f"checkpoint-{state.images_seen:010d}.pt")
        for old in self.checkpoints()[:-keep]:
            old.unlink()
