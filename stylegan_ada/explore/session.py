"""A run or a generator's file that is being looked at: what of it is open, for all pages together."""

import threading
from pathlib import Path
from typing import Any

from .._version import __version__
from ..checkpoint import generator_file
from ..devices import choose_device
from ..errors import UserError
from ..projection.latents import layer_thirds
from ..sampling import load_generator
from ..training.run_folder import RunFolder
from .jobs import Jobs
from .real import RealSide
from .workbench import Workbench

FOLDER = "explore"  # in a run, or beside a generator's file: all that is written


class Session:
    """run: as given. data: real images, if the run's have moved. folder: where sets are written."""

    def __init__(self, run: Path, data: str | None, device: str, hide_real: bool) -> None:
        self.run, self.device, self.jobs = run, device, Jobs()
        self.folder = (run if run.is_dir() else run.parent) / FOLDER
        self._data, self._hide_real = data, hide_real
        self._lock = threading.Lock()
        self._bench: Workbench | None = None
        self._real: RealSide | None = None
        self._stamp: tuple[int, int] | None = None
        if self._file_stamp() is not None or not RunFolder(run).is_run():
            self.reload()

    def reload(self) -> None:
        """Opens the newest generator; latents in the tray stay, and give its images now."""
        stamp = self._file_stamp()
        bench = Workbench(load_generator(self.run, choose_device(self.device)))
        with self._lock:
            old, self._bench, self._stamp = self._bench, bench, stamp
            self._real = RealSide(self.run, self._data, bench.generator, self._hide_real)
        if old is not None:
            bench.take_over(old)
            old.close()

    def bench(self) -> Workbench:
        """UserError where the run has no generator yet."""
        with self._lock:
            if self._bench is None:
                raise UserError("the run has no generator yet: it is saved with the first samples")
            return self._bench

    def real(self) -> RealSide:
        self.bench()
        assert self._real is not None
        return self._real

    def newer(self) -> bool:
        """Whether the run has saved another generator since it was opened."""
        return self._file_stamp() not in (None, self._stamp)

    def training_folder(self) -> RunFolder:
        """UserError for a generator's file without a run."""
        folder = RunFolder(self.run if self.run.is_dir() else self.run.parent)
        if not folder.is_run():
            raise UserError(f"{self.run}: there is no run here, or it is gone")
        return folder

    def about(self) -> dict[str, Any]:
        """What a page needs to know first."""
        folder = RunFolder(self.run if self.run.is_dir() else self.run.parent)
        plain = {
            "run": str(self.run),
            "version": __version__,
            "is_run": folder.is_run(),
            "no_real_images": self._hide_real,
            "ready": self._bench is not None,
        }
        if self._bench is None:
            return plain
        bench = self.bench()
        generator = bench.generator
        channels, height, width = generator.image_shape
        return plain | {
            "height": height,
            "width": width,
            "images_seen": generator.info.images_seen,
            "flat": generator.labels.is_flat,
            "attributes": [
                {
                    **{name: getattr(one, name) for name in ("name", "kind", "values", "unknown", "low", "high")},
                    "words": one.words,
                }
                for one in generator.labels.attributes
            ],
            "mask_kinds": generator.mask_kinds,
            "layers": generator.network.num_ws,
            "thirds": layer_thirds(generator.network.num_ws),
            "directions": bench.direction_names(),
            "can_project": channels != 4,
        }

    def _file_stamp(self) -> tuple[int, int] | None:
        try:
            found = generator_file(self.run).stat()
        except (OSError, UserError):
            return None
        return found.st_mtime_ns, found.st_size
