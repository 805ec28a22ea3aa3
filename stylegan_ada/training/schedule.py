"""The schedule by the number of real images shown: when a run ticks, is saved, is measured and ends; weights."""

from dataclasses import dataclass

from ..config import TrainingConfig

CONTROLLER_INTERVAL = 4  # steps between moves of p: ADA, arXiv 2006.06676, section 3.1


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """All lengths in thousands of images. A measurement is of a snapshot, and a snapshot begins with a tick."""

    kimg: float  # the whole run
    tick_kimg: float
    snapshot_kimg: float
    evaluate_kimg: float  # 0: no measurements

    @classmethod
    def of(cls, training: TrainingConfig, measured: bool) -> "Schedule":
        """The schedule of a run. measured: whether there is something to measure with."""
        return cls(
            kimg=training.kimg,
            tick_kimg=training.tick_kimg,
            snapshot_kimg=training.snapshot_kimg,
            evaluate_kimg=training.evaluate_kimg if measured else 0.0,
        )

    def finished(self, images: int) -> bool:
        """Whether so many images are the whole run."""
        return images >= self.kimg * 1000

    def measures(self, before: int, after: int) -> bool:
        """Whether the generator is to be measured after the step from `before` to `after` images."""
        return self.evaluate_kimg > 0 and (self.finished(after) or crossed(before, after, self.evaluate_kimg))

    def snapshots(self, before: int, after: int) -> bool:
        """Whether a snapshot follows that step."""
        due = crossed(before, after, self.snapshot_kimg)
        return due or self.finished(after) or self.measures(before, after)

    def ticks(self, before: int, after: int) -> bool:
        """Whether a tick follows that step."""
        return crossed(before, after, self.tick_kimg) or self.snapshots(before, after)


def crossed(before: int, after: int, kimg: float) -> bool:
    """Whether the step from `before` to `after` images reached a multiple of `kimg` thousand images."""
    return after // (kimg * 1000) > before // (kimg * 1000)


def label_weight(images_seen: int, transition: tuple[float, float]) -> float:
    """The weight of labels after so many images: 0 up to the window's start, 1 from its end on, linear between.

    transition: start and end in thousands of images. Shahbazi et al. 2022, arXiv 2201.06578.
    """
    start, end = (1000 * kimg for kimg in transition)
    return float(images_seen >= end) if start == end else min(max((images_seen - start) / (end - start), 0.0), 1.0)
