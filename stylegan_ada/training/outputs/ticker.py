"""What a tick says of the means since the last one: a row of the log, a line of progress, warnings, an error."""

import math
from collections import Counter

import numpy as np

from ... import distributed
from ...config import AugmentConfig, RunConfig
from ...errors import PeerError, RunFailed, UserError
from ...progress import Say
from ..checkpoints import TrainingState, first_not_finite
from ..run_folder import RunFolder
from .log import Log, progress_line

DIVERGED_LOSS = 50.0  # a generator's loss in the hundreds has nothing to learn from any more; usual ones are below 5
CAP_WARNING_KIMG = 20.0  # how long p stays at its cap before a warning


class Ticker:
    """The ticks of one process of a run. log: the first process has one; the others neither log nor print."""

    def __init__(self, config: RunConfig, folder: RunFolder, log: Log | None, say: Say):
        self.config, self.folder, self.log, self.say = config, folder, log, say
        self.cap_watch = CapWatch(config.augment)
        self.scrubbed_in_a_row: Counter[str] = Counter()  # by phase

    def tick(
        self,
        images_seen: int,
        p: float,
        sec_per_kimg: float,
        averages: dict[str, float],
        scrubbed: dict[str, tuple[int, int]],
    ) -> dict[str, float]:
        """Logs and prints the means since the last tick, and returns their row.

        scrubbed: steps of each phase, and how many of them had NaN or infinite gradients. RunFailed if all of three or
        more had, or if a mean is NaN or infinite.
        """
        for name, value in averages.items():
            if not math.isfinite(value):
                raise self._broken(f"{name} became {value}", images_seen)
        for phase, (steps, bad) in scrubbed.items():
            self.scrubbed_in_a_row[phase] = self.scrubbed_in_a_row[phase] + steps if bad == steps else 0
            if self.scrubbed_in_a_row[phase] > 2:
                times = self.scrubbed_in_a_row[phase]
                raise self._broken(f"the last {times} gradients of {phase} held NaN or infinite numbers", images_seen)
        made_finite = sum(bad for _, bad in scrubbed.values())
        row = log_row(images_seen, p, sec_per_kimg, averages) | {"scrubbed_gradients": made_finite}
        if self.log is not None:
            self.log.write(row)
            self.say(progress_line(row, self.config.training.kimg))
            if made_finite:
                total = sum(steps for steps, _ in scrubbed.values())
                self.say(f"warning: {made_finite} of {total} gradients held NaN or infinite numbers, now 0 or 1e5")
            warning = self.cap_watch.warning(row["kimg"], p)
            if warning is not None:
                self.say(warning)
            if row.get("loss_G", 0.0) > DIVERGED_LOSS:
                self.say("warning: the generator's loss shows that training has diverged: lower `learning_rate`")
        return row

    def check_finite(self, state: TrainingState) -> None:
        """Raises RunFailed if a state that is about to be saved holds NaN: its last step alone may have brought it."""
        broken = first_not_finite(state.as_dict())
        if distributed.any_rank(broken is not None):
            what = f"{broken or 'the state of another process'} became NaN or infinite"
            raise self._broken(what, state.images_seen)

    def _broken(self, what: str, images_seen: int) -> UserError:
        """The error that ends a run with NaN or infinite numbers; one process tells it."""
        if distributed.rank() > 0:
            return PeerError(what)
        kept = self.folder.checkpoints()
        return RunFailed(
            f"{self.folder.path}: {what} near {images_seen / 1000:.1f} kimg; "
            f"the last good checkpoint is {kept[-1].name if kept else 'none'}; "
            "start anew with `precision` fp32, a larger `gamma` or another `seed`"
        )


def log_row(images_seen: int, p: float, sec_per_kimg: float, averages: dict[str, float]) -> dict[str, float]:
    """A row of the log, with r_v of these means where some images are held out (ADA, arXiv 2006.06676, equation 1)."""
    row = {
        "images": images_seen,
        "kimg": images_seen / 1000,
        "sec_per_kimg": round(sec_per_kimg, 4),
        "p": p,
        **averages,
    }
    if "logits_holdout" in row and row["logits_real"] != row["logits_fake"]:
        overfitting = row["logits_real"] - row["logits_holdout"]
        row["r_v"] = overfitting / (row["logits_real"] - row["logits_fake"])
    return row


class CapWatch:
    """Watches for a p that stays at its cap."""

    def __init__(self, augment: AugmentConfig):
        self.augment = augment
        self.since: float | None = None  # kimg
        self.warned = False

    def warning(self, kimg: float, p: float) -> str | None:
        """The warning, once when p has been at its cap for CAP_WARNING_KIMG; again only if it has left it since."""
        # the controller counts in float32, in which a cap of 0.7 is a little less
        if self.augment.ada_p is not None or np.float32(p) < np.float32(self.augment.ada_max):
            self.since, self.warned = None, False
            return None
        if self.since is None:
            self.since = kimg
        if self.warned or kimg - self.since < CAP_WARNING_KIMG:
            return None
        self.warned = True
        return (
            f"warning: p has stayed at its cap of {self.augment.ada_max}: the set is small for this discriminator; "
            "more images, a larger `gamma` or stopping earlier help, a higher cap lets augmentations leak"
        )
