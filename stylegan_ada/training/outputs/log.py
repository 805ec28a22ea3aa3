"""The records of a run while it goes on: the progress line, a JSONL log, TensorBoard."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from ...errors import cannot_write
from ..run_folder import RunFolder


def progress_line(row: dict[str, float], total_kimg: float) -> str:
    """One line of progress from a row of the log."""
    remaining = max(0.0, total_kimg - row["kimg"]) * row["sec_per_kimg"]
    parts = [
        f"{row['kimg']:8.1f} kimg",
        f"{row['sec_per_kimg']:.2f} s/kimg",
        f"ETA {duration(remaining)}",
        f"p {row['p']:.3f}",
    ]
    parts += [f"{name} {row[name]:+.2f}" for name in ("r_t", "r_v") if name in row]
    if 0 < row.get("label_weight", 1.0) < 1:
        parts.append(f"labels {row['label_weight']:.2f}")
    parts += [
        f"{label} {row[name]:.3f}"
        for name, label in (("loss_G", "G"), ("loss_D", "D"), ("loss_D_r1", "R1"), ("loss_G_pl", "PL"))
        if name in row
    ]
    return " | ".join(parts)


def duration(seconds: float) -> str:
    """12:34:56"""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


class Log:
    """Rows of figures, written to the run's log and to TensorBoard. Only the first process has one."""

    def __init__(self, folder: RunFolder, images_seen: int):
        """Goes on after `images_seen`: rows that a killed process wrote beyond its last checkpoint are dropped."""
        from torch.utils.tensorboard import SummaryWriter  # slow to import, and only needed here

        self.folder = folder
        kept = [row for row in folder.read_log() if row["images"] <= images_seen]
        with ExitStack() as stack, self._told():
            stack.enter_context(_without_tracebacks_of_tensorboard())
            folder.write_log(kept)
            self._tensorboard = SummaryWriter(str(folder.path), purge_step=images_seen + 1)
            self._until_closed = stack.pop_all()

    def write(self, row: dict[str, Any]) -> None:
        """row: figures by name; `images` places it."""
        with self._told():
            self.folder.append_to_log(row)
            for name, value in row.items():
                if name not in ("images", "kimg"):
                    self._tensorboard.add_scalar(name, value, row["images"])
            self._tensorboard.flush()

    def measurement(self, row: dict[str, Any]) -> None:
        """A row of figures of the generator, with what they say, for TensorBoard."""
        with self._told():
            for name, value in row.items():
                if isinstance(value, float):
                    self._tensorboard.add_scalar(f"evaluation/{name}", value, row["images"])
            self._tensorboard.add_text("findings", "  \n".join(row["findings"]), row["images"])
            self._tensorboard.flush()

    def picture(self, image: Any, images_seen: int) -> None:
        """image: uint8 [H, W, C] array for TensorBoard."""
        with self._told():
            self._tensorboard.add_image("samples", image, images_seen, dataformats="HWC")

    def close(self) -> None:
        with self._until_closed, suppress(OSError):  # of a full disk, which `write` has told of
            self._tensorboard.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What cannot be written is a UserError, or RunFailed for a full disk."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            message = f"cannot write {self.folder.log_file} ({reason}): make room, the same command goes on"
            raise cannot_write(error, message) from None


@contextmanager
def _without_tracebacks_of_tensorboard() -> Iterator[None]:
    """What its thread cannot write its next call raises, too: stderr is to have no more than our line of that."""
    before = threading.excepthook

    def hook(told: threading.ExceptHookArgs) -> None:
        if not type(told.thread).__module__.startswith("tensorboard."):
            before(told)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before
