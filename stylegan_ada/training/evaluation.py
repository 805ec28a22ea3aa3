"""Measuring the generator while it trains: how good it is, which one was best, whether to go on."""

import time

import torch

from .. import distributed
from ..config import TrainingConfig
from ..devices import return_freed_memory
from ..errors import UserError
from ..metrics.evaluate import Evaluation, RealImages, compute_generated, compute_real
from ..metrics.feature_sets import FeatureSets, RealFeatures
from ..metrics.measurements import EvaluationRow, best_of, without_improvement
from ..metrics.networks import make_extractor
from ..metrics.networks.extractor import Extractor
from ..metrics.results import values_by_name
from ..metrics.table import measure
from ..metrics.words.findings import AGREEMENT, findings
from ..progress import Say
from ..sampling import TrainedGenerator, load_generator
from .best import best_images, forget_superseded, keep_as_best
from .outputs.log import Log
from .run_folder import RunFolder

MEASURED = ("kid", "fid", "precision", "recall", "density", "coverage", "copies", "label_accuracy", "label_agreement")
FROM_LOG = ("p", "r_t", "r_v", "label_weight")  # what of a log's row belongs to a measurement's
SHARE = 0.05  # of the time, for measuring
FEWEST, MOST = 100, 5000  # images
PROBE = 32  # images, to see how long one takes


class Evaluator:
    """The measurements of one run. rows: what the first process found so far, as the run's folder keeps it."""

    def __init__(
        self,
        folder: RunFolder,
        real: RealImages,
        device: torch.device,
        say: Say,
        stop_after: int | None = None,
    ):
        """stop_after: how many measurements in a row may bring nothing better before the run is given up; None: any
        number. UserError if there is nothing to measure with."""
        self.folder, self.real, self.say, self.stop_after = folder, real, say, stop_after
        self.extractor: Extractor = make_extractor("lite0", device)
        self.real_features: RealFeatures | None = None  # computed when it is needed
        self.rows: list[EvaluationRow] = []
        self.count: int | None = None  # of images, the same in all of a run's measurements
        self.confirmed: Evaluation | None = None  # of the best generator, if this process measured it on fresh seeds
        self.given_up = False  # whether stop_after measurements in a row brought nothing better

    def resume(self, images_seen: int) -> None:
        """Goes on after `images_seen`: what was measured beyond does not count."""
        self.rows = [row for row in self.folder.read_evaluations() if row["images"] <= images_seen]
        self.count = self.folder.read_count() or (self.rows[0]["count"] if self.rows else None)
        self._judge_progress()

    def measure_last(self, generator: TrainedGenerator, seconds: float, log: Log | None, ada_cap: float | None) -> None:
        """Measures the generator that was just saved, unless that was done; keeps the row and tells of it.

        log: the first process's. ada_cap: the highest p that the controller may set, None where p is fixed. The rest as
        in `measure`.
        """
        if distributed.any_rank(self.has(generator.info.images_seen)):
            return
        row, _ = self.measure(generator, seconds)
        if log is not None:
            images = generator.info.images_seen
            last = next((one for one in self.folder.read_log() if one["images"] == images), {})  # a log may be lost
            row |= {"images": images, "kimg": images / 1000} | {name: last[name] for name in FROM_LOG if name in last}
            self.record(row, ada_cap)
            log.measurement(row)
            self.say(f"measured in {row['measuring_seconds']:.0f} s: {summary(row)}")
            for line in row["findings"]:
                self.say(f"  {line}")
        self._judge_progress()

    def _judge_progress(self) -> None:
        """Gives the run up when nothing has become better for long."""
        enough = self.stop_after is not None and without_improvement(self.rows) >= self.stop_after
        self.given_up = distributed.any_rank(enough)
        if self.given_up:
            self.say(
                f"{self.stop_after} measurements in a row brought no improvement: the run ends, as `stop_after` asks"
            )

    def measure(self, generator: TrainedGenerator, seconds: float, seed: int = 0) -> tuple[EvaluationRow, Evaluation]:
        """Metrics of the generator, by name, in about SHARE of `seconds`, the time between two measurements; and what
        they are of.

        Every process takes part; the metrics are in the first one's row.
        """
        if self.real_features is None:
            self.say(f"computing the features of {len(self.real.dataset)} real images, unless the cache has them")
            self.real_features = compute_real(self.real, self.extractor)
        if self.count is None:
            self.count = self._affordable(generator, self.real_features, seconds)
            if distributed.rank() == 0:
                self.folder.write_count(self.count)
        start = time.perf_counter()
        features = compute_generated(generator, self.real_features, self.extractor, self.count, seed=seed)
        row: EvaluationRow = {"count": self.count, "n_real": len(self.real_features.reference)}
        if distributed.rank() == 0:
            row |= as_measurement(features)
        return_freed_memory()
        row["measuring_seconds"] = round(time.perf_counter() - start, 2)
        return row, Evaluation(generator=generator, real=self.real, features=features, network=self.extractor.name)

    def record(self, row: EvaluationRow, ada_cap: float | None) -> None:
        """Adds to a row what it says, keeps it, and keeps the generator that was just saved if it is the best."""
        best = self._row_of_best()
        self.rows.append(row)
        row["findings"] = findings(self.rows, ada_cap)
        if best is None or best_of([best, row]) is row:
            keep_as_best(self.folder)
        self.folder.write_evaluations(self.rows)
        forget_superseded(self.folder)

    def _row_of_best(self) -> EvaluationRow | None:
        """The measurement of the generator that is kept as the best; None where none is, or its row was lost."""
        images = best_images(self.folder)
        return next((row for row in self.rows if row["images"] == images), None)

    def confirm_best(self, seconds: float) -> None:
        """Measures the best generator again on fresh seeds, since the best of many noisy measurements is too good.
        Keeps and says the outcome. Does nothing if that was done before, or nothing was measured."""
        # the first process's rows: another one has none but those from before the run was resumed
        chosen = self._row_of_best() if distributed.rank() == 0 else None
        kept = self.folder.read_confirmed() if chosen is not None else None
        done = chosen is not None and kept is not None and kept["images"] == chosen["images"]
        if not distributed.any_rank(chosen is not None and not done):
            return
        row, self.confirmed = self._measure_best(seconds)
        if chosen is None:
            return
        row |= {"images": chosen["images"], "kimg": chosen["kimg"]}
        self.folder.write_confirmed(row)
        self.say(
            f"the best generator is that of {chosen['kimg']:g} kimg ({self.folder.best_file.name}): "
            f"measured again on fresh seeds, {summary(row)}"
        )

    def of_best(self, seconds: float) -> Evaluation:
        """The evaluation of `confirm_best`; measured again if another process made it, before the run was resumed."""
        if self.confirmed is None:
            _, self.confirmed = self._measure_best(seconds)
        return self.confirmed

    def _measure_best(self, seconds: float) -> tuple[EvaluationRow, Evaluation]:
        return self.measure(load_generator(self.folder.path, self.extractor.device), seconds, seed=1)

    def has(self, images_seen: int) -> bool:
        """Whether the generator of that moment was measured; asked of the first process."""
        return any(row["images"] == images_seen for row in self.rows)

    def _affordable(self, generator: TrainedGenerator, real: RealFeatures, seconds: float) -> int:
        """The number of images to be measured in SHARE of so many seconds, by a probe whose outcome is thrown away."""
        for _ in range(2):  # the first time also computes what follows from the real images alone
            start = time.perf_counter()
            features = compute_generated(generator, real, self.extractor, PROBE)
            drawn = time.perf_counter() - start
            if distributed.rank() == 0:
                as_measurement(features)
            rest = time.perf_counter() - start - drawn
        numbers = torch.tensor([drawn / PROBE, seconds, rest], dtype=torch.float64)
        # the first process's own: the others must not come to another count
        drawn, seconds, rest = distributed.gather(numbers[None])[0].tolist()
        count = min(max(int((seconds * SHARE - rest) / drawn), FEWEST), MOST)
        if seconds == 0:  # a run goes on whose log, which tells its speed, was lost
            return FEWEST
        share = (rest + count * drawn) / seconds
        self.say(f"measuring {count} images against {len(real.reference)} real ones takes {share:.1%} of the time")
        if count == FEWEST and share > SHARE:
            self.say("  a larger `evaluate_kimg` reduces that share")
        return count


def make_evaluator(
    training: TrainingConfig,
    folder: RunFolder,
    real: RealImages,
    device: torch.device,
    say: Say,
    images_seen: int,
) -> Evaluator | None:
    """The evaluator of a run that goes on after `images_seen`; None if it is not wanted or cannot be had."""
    if training.evaluate_kimg == 0:
        return None
    try:
        evaluator = Evaluator(folder, real, device, say, training.stop_after)
    except UserError as error:
        say(f"warning: the generator will not be measured: {error}")
        return None
    evaluator.resume(images_seen)
    return evaluator


def summary(row: EvaluationRow) -> str:
    """The main metrics in a line."""
    parts = [f"FID {row['fid']:.1f}", f"1000 x KID {1000 * row['kid']:.1f} +- {1000 * row['kid_error']:.1f}"]
    parts += [f"{name} {row[name]:.2f}" for name in ("precision", "recall", "coverage") if name in row]
    if "copies" in row:
        parts.append(f"copies {row['copies']:.1%} (chance {row['copies_control']:.1%})")
    named = [name for name in row if name.startswith(AGREEMENT)]
    if named:
        parts += [f"{name.removeprefix(AGREEMENT)} obeyed {row[name]:.2f}" for name in named]
    elif "label_accuracy" in row:
        parts.append(f"labels obeyed {row['label_accuracy']:.0%} (chance {row['label_chance']:.0%})")
    return ", ".join(parts)


def as_measurement(features: FeatureSets) -> EvaluationRow:
    """The row that `values_by_name` gives for MEASURED, without intervals that need resampling, which takes seconds.
    pixels: the ratios of pixel statistics, None where the real images have 0."""
    ratios = {name: figure.ratio for name, figure in features.pixel_figures.items()}
    return {**values_by_name(measure(features, MEASURED, resamples=0)[0]), "pixels": ratios}
