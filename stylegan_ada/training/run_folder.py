"""The folder of a run: the name of each file in it, reading and writing them, its lock."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..checkpoint import BEST_FILE, GENERATOR_FILE
from ..config import RunConfig
from ..config.json import from_json, to_json
from ..errors import UserError
from ..files import TEMPORARY, atomic_path, check_folder, write_text
from ..folders import LOCK_FILE, locked_folder
from ..metrics.measurements import EvaluationRow
from .checkpoints import TrainingState


class RunFolder:
    """Names, keeps and reads the files of one run."""

    def __init__(self, path: Path):
        self.path = path
        self.config_file = path / "config.json"
        self.options_file = path / "options.json"  # of the command line
        self.holdout_file = path / "holdout.json"  # names of the images that training never sees
        self.log_file = path / "log.jsonl"  # a row per tick
        self.evaluations_file = path / "evaluations.jsonl"  # a row per measurement
        self.count_file = path / "measuring.json"  # how many images every measurement takes
        self.confirmed_file = path / "best.json"  # the best generator, measured again on fresh seeds
        self.report_file = path / "report.html"
        self.generator_file = path / GENERATOR_FILE
        self.best_file = path / BEST_FILE
        self.curves_file = path / "curves.png"

    def samples_file(self, images_seen: int) -> Path:
        return self.path / f"samples-{images_seen:010d}.png"

    def samples(self) -> list[int]:
        """Numbers of images after which `samples_file` was written, the first first."""
        found = (path.stem.removeprefix("samples-") for path in self.path.glob("samples-*.png"))
        return sorted(int(number) for number in found if number.isdecimal())

    def checkpoint_file(self, images_seen: int) -> Path:
        return self.path / f"checkpoint-{images_seen:010d}.pt"

    def earlier_best_file(self, images_seen: int) -> Path:
        """The file of a generator that was the best one before."""
        return self.path / f"best-{images_seen:010d}.safetensors"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder and holds its lock. A second process in the same folder is a UserError."""
        with locked_folder(self.path, self.path, "another process is training there, wait or use another folder"):
            yield

    def is_run(self) -> bool:
        """Whether a run was begun here."""
        return self.config_file.exists()

    def has_begun(self) -> bool:
        """Whether there is something to go on from. A run that ended before its first checkpoint may begin anew."""
        return self.is_run() and bool(self.checkpoints())

    def check_unused(self) -> None:
        """Raises UserError for a folder that cannot be written, or that holds something else than a run: nothing is
        written among other files."""
        left = {name for name in check_folder(self.path) if TEMPORARY.fullmatch(name)}  # by a process that was killed
        others = check_folder(self.path) - left - {LOCK_FILE, self.options_file.name}
        if others and not self.is_run():
            raise UserError(f"`out` {self.path}: the folder holds other files ({min(others)}), give a new one")

    def read_config(self) -> RunConfig:
        try:
            return from_json(RunConfig, self.config_file.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{self.path}: not a run folder ({error.strerror}: {self.config_file.name})") from None
        except UserError as error:
            raise UserError(f"{self.config_file}: {error}") from None

    def write_config(self, config: RunConfig) -> None:
        write_text(self.config_file, to_json(config) + "\n")

    def read_options(self) -> dict[str, Any]:
        """The options as they were given on the command line when the run began."""
        try:
            return json.loads(self.options_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self.options_file}: cannot be read ({error}), so the run cannot go on, use a new `out`"
            ) from None

    def write_options(self, options: dict[str, Any]) -> None:
        write_text(self.options_file, json.dumps(options, indent=2) + "\n")

    def write_holdout(self, names: Sequence[str]) -> None:
        """names: of the images that training never sees."""
        write_text(self.holdout_file, json.dumps(names, indent=1) + "\n")

    def read_log(self) -> list[dict[str, float]]:
        """The rows of the log, none where there is no log; a last line cut short by a kill is left out."""
        if not self.log_file.exists():
            return []
        rows = []
        for line in self.log_file.read_bytes().splitlines():
            try:
                rows.append(_row(line))
            except ValueError:
                break
        return rows

    def write_log(self, rows: Sequence[dict[str, float]]) -> None:
        """Begins the log anew with these rows; a kill on the way leaves the old one."""
        write_text(self.log_file, _lines(rows))

    def append_to_log(self, row: dict[str, float]) -> None:
        """Adds a row, whole or not at all: to half a row the next one would be glued. What cannot be written is an
        OSError."""
        line = _lines([row]).encode()
        with self.log_file.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                while line:
                    line = line[file.write(line) :]  # on a disk that gets full a part, then an error
            except OSError:
                file.truncate(before)
                raise

    def read_evaluations(self) -> list[EvaluationRow]:
        """The rows that the run's measurements left."""
        try:
            return [_row(line) for line in self.evaluations_file.read_bytes().splitlines()]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise UserError(f"{self.evaluations_file}: cannot be read ({error}), delete it to measure anew") from None

    def write_evaluations(self, rows: Sequence[EvaluationRow]) -> None:
        write_text(self.evaluations_file, _lines(rows))

    def read_count(self) -> int | None:
        """The number of generated images in each of the run's measurements; None before the first one, and in runs of
        earlier versions."""
        try:
            return int(json.loads(self.count_file.read_bytes())["count"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write_count(self, count: int) -> None:
        write_text(self.count_file, json.dumps({"count": count}) + "\n")

    def read_confirmed(self) -> EvaluationRow | None:
        """The figures of the best generator on fresh seeds; None before they were measured, or of a broken file."""
        try:
            return _row(self.confirmed_file.read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    def write_confirmed(self, row: EvaluationRow) -> None:
        write_text(self.confirmed_file, json.dumps(row, indent=1) + "\n")

    def copy_generator_as_best(self) -> None:
        """Keeps the generator that was just saved as the best one."""
        with atomic_path(self.best_file) as temporary:
            temporary.write_bytes(self.generator_file.read_bytes())

    def earlier_bests(self) -> list[Path]:
        """All that `earlier_best_file` names, the oldest first."""
        return sorted(self.path.glob(f"best-{'[0-9]' * 10}.safetensors"))

    def checkpoints(self) -> list[Path]:
        """All checkpoints, the oldest first."""
        return sorted(self.path.glob("checkpoint-*.pt"))

    def save_checkpoint(self, state: TrainingState, config: RunConfig) -> None:
        """Writes a checkpoint, then deletes all but the newest `keep`."""
        state.save(self.checkpoint_file(state.images_seen), config)
        self.forget_old_checkpoints(config.training.keep)

    def forget_old_checkpoints(self, keep: int) -> None:
        """Deletes all but the newest `keep`."""
        for old in self.checkpoints()[:-keep]:
            old.unlink()

    def set_aside(self, path: Path) -> str:
        """Gives a file that cannot be used another name, and says what became of it."""
        try:
            return f"it is now {path.replace(path.with_name(f'{path.name}.unusable')).name}"
        except OSError as error:
            return f"it cannot be renamed ({error.strerror}) and stays"


def _row(line: bytes) -> EvaluationRow:
    """Reads a row of JSON. ValueError if it is none, or not of a moment of the run."""
    row = json.loads(line)
    if not isinstance(row, dict) or "images" not in row:
        raise ValueError("a row lacks the number of images")
    return row


def _lines(rows: Sequence[EvaluationRow]) -> str:
    """JSONL."""
    return "".join(json.dumps(row) + "\n" for row in rows)
