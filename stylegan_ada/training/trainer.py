"""The training loop. Read `Trainer.train` first."""

import json
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .. import distributed
from ..augment import AdaController, AugmentPipe, r_v
from ..checkpoint import GENERATOR_FILE, GeneratorInfo, TrainingState, save_generator
from ..config import RunConfig
from ..datasets import ImageDataset, split
from ..errors import PeerError, RunFailed, UserError
from ..files import atomic_path, write_text
from ..grids import sample_grid
from ..metrics.evaluate import real_images
from ..metrics.findings import without_improvement
from ..networks import Discriminator, Generator
from ..report.plots import plot_curves
from ..sampling import TrainedGenerator
from .averages import Averages, Clock
from .batches import BatchSource
from .ema import ema_beta, update_ema
from .estimate import estimate
from .evaluation import Evaluator, summary
from .monitor import Log, progress_line, read_log
from .objective import Objective, StepStatistics
from .phases import make_optimizer, make_phases
from .run_folder import RunFolder

CONTROLLER_INTERVAL = 4  # steps between moves of p: ADA, arXiv 2006.06676, section 3.1
DIVERGED_LOSS = 50.0  # a generator's loss in the hundreds has nothing to learn from any more; usual ones are below 5
CAP_WARNING_KIMG = 20.0  # how long p stays at its cap before a warning


class Trainer:
    """One run: its networks, its data, its folder."""

    def __init__(
        self,
        config: RunConfig,
        dataset: ImageDataset,
        folder: RunFolder,
        device: torch.device,
        say: Callable[[str], None],
    ):
        """say: prints a line; called by the first process only."""
        self.config, self.dataset, self.folder, self.device, self.say = config, dataset, folder, device, say
        training = config.training
        self.members, self.held_out = split(dataset, config.data.holdout, config.data.subset, training.seed)
        self.real = BatchSource(dataset, self.members, config.data, training, "real", device)
        self.holdout = BatchSource(dataset, self.held_out, config.data, training, "holdout", device)
        self.state = self._make_state()
        for network in (self.state.generator, self.state.generator_ema, self.state.discriminator):
            distributed.broadcast(network)
        labels = torch.from_numpy(dataset.one_hot(self.members)).to(device)
        augment = config.augment
        augmented = augment.p != 0 and (augment.groups or augment.extra)
        image_shape = config.network.image_shape
        self.objective = Objective(
            generator=self.state.generator,
            discriminator=self.state.discriminator,
            pipe=AugmentPipe(augment.groups, image_shape, augment.extra).to(device) if augmented else None,
            p=self.state.controller.p,
            path_length_mean=self.state.path_length_mean,
            label_table=labels,
            config=training,
        )
        self.phases = make_phases(
            self.objective, self.state.generator_optimizer, self.state.discriminator_optimizer, training
        )
        self.averages = Averages(device)
        self.at_cap_since: float | None = None
        self.evaluator: Evaluator | None = None
        self.no_better = False  # for so many measurements that the run ends
        self.sec_per_kimg = 0.0  # at the last tick

    def train(self, should_stop: Callable[[], bool]) -> bool:
        """Trains up to the configured number of images. Returns whether it got there, rather than being asked to stop.

        should_stop is asked after every step; the run then ends with a checkpoint.
        """
        state, training = self.state, self.config.training
        self._resume()
        self.evaluator = self._make_evaluator()
        log = Log(self.folder.path, state.images_seen) if distributed.rank() == 0 else None
        if state.images_seen and self._measurement_due(state.images_seen - training.batch):
            self._measure(log)  # unless the run had come to it
        if not self._finished():
            self._say_estimate(should_stop)
        clock = Clock(self.device)
        lap_start = state.images_seen
        stop = distributed.any_rank(should_stop())  # all stop after the same step
        while not (stop or self._finished()):
            before = state.images_seen
            self.step()
            stop = distributed.any_rank(should_stop())
            measure = self._measurement_due(before)
            snapshot = stop or measure or self._finished() or self._crossed(before, training.snapshot_kimg)
            if snapshot or self._crossed(before, training.tick_kimg):
                self._tick(log, clock.lap(), state.images_seen - lap_start)
                lap_start = state.images_seen
            if snapshot:
                self._snapshot(log)
            if measure and not stop:
                self._measure(log)
                clock.lap()
        if self._finished():
            self._confirm_best()
        if log is not None:
            log.close()
        distributed.wait_for_all()  # the first rank was still writing: none may leave the group before
        return self._finished()

    def step(self) -> None:
        """One pass over all phases that are due, on one batch of real images."""
        state, training = self.state, self.config.training
        share = self.real.share
        self.objective.statistics = StepStatistics()
        micro_batches = self.real.micro_batches(state.images_seen)
        moves_p = (state.steps + 1) % CONTROLLER_INTERVAL == 0
        held_out = self._judge_held_out() if moves_p and len(self.held_out) else None
        for phase in self.phases:
            if state.steps % phase.interval == 0:
                total = phase.gradients(micro_batches, training.batch)
                phase.step()
                self.averages.add(f"loss_{phase.name}", total, share)
        state.images_seen += training.batch
        state.steps += 1
        self._apply_statistics(self.objective.statistics)
        if moves_p:
            self._move_p(held_out)
        beta = ema_beta(training.batch, state.images_seen, training.ema_kimg, training.ema_rampup)
        update_ema(state.generator_ema, state.generator, beta)

    def _apply_statistics(self, statistics: StepStatistics) -> None:
        """Moves what follows the whole batch: means of w and of path lengths, and p."""
        state, training = self.state, self.config.training
        w_statistics = distributed.sum_over_ranks(torch.stack(statistics.w).sum(dim=0))
        state.generator.update_w_mean(w_statistics, training.w_mean_beta)
        if statistics.path_lengths:
            lengths = torch.cat(statistics.path_lengths)
            total = distributed.sum_over_ranks(lengths.sum()) * (training.pl_every / training.batch)
            state.path_length_mean.lerp_(total, training.pl_decay)
            self.averages.add("path_length", lengths.sum(), len(lengths))
        real_logits = distributed.gather(torch.cat(statistics.real_logits))
        fake_logits = distributed.gather(torch.cat(statistics.fake_logits))
        state.controller.observe_signs(real_logits)
        self.averages.add("r_t", real_logits.sign().sum(), len(real_logits))
        self.averages.add("logits_real", real_logits.sum(), len(real_logits))
        self.averages.add("logits_fake", fake_logits.sum(), len(fake_logits))
        state.logit_sums += torch.stack([real_logits.sum(), fake_logits.sum()])

    def _judge_held_out(self) -> Tensor:
        """Logits of held-out images by the discriminator that is about to judge this step's images."""
        batches = self.holdout.micro_batches(self.state.images_seen)
        logits = distributed.gather(torch.cat([self.objective.judge_real(batch) for batch in batches]))
        self.averages.add("logits_holdout", logits.sum(), len(logits))
        return logits

    def _move_p(self, held_out: Tensor | None) -> None:
        """Lets the controller follow its signal over the steps since the last move."""
        state, augment = self.state, self.config.augment
        images = CONTROLLER_INTERVAL * self.config.training.batch
        real_mean, fake_mean = (state.logit_sums / images).unbind()
        r = r_v(real_mean, held_out.double(), fake_mean) if augment.signal == "rv" and held_out is not None else None
        if augment.adapts:
            state.controller.update(images, r)
        state.logit_sums.zero_()

    def _make_state(self) -> TrainingState:
        training, augment = self.config.training, self.config.augment
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            generator = Generator(self.config.network)
            discriminator = Discriminator(self.config.network)
            generator_ema = Generator(self.config.network)
        generator_ema.load_state_dict(generator.state_dict())
        for network in (generator, discriminator, generator_ema):
            network.to(self.device)
        return TrainingState(
            generator=generator,
            generator_ema=generator_ema.eval().requires_grad_(False),
            discriminator=discriminator,
            generator_optimizer=make_optimizer(
                generator, training.learning_rate, training.pl_interval if training.pl_weight > 0 else None
            ),
            discriminator_optimizer=make_optimizer(
                discriminator, training.learning_rate, training.r1_interval if training.r1_gamma > 0 else None
            ),
            controller=AdaController(
                target=augment.target,
                kimg=augment.kimg,
                cap=augment.maximum if augment.p is None else 1.0,
                p=augment.p or 0.0,
                device=self.device,
            ),
            path_length_mean=torch.zeros((), device=self.device),
            logit_sums=torch.zeros(2, dtype=torch.float64, device=self.device),
        )

    def write_holdout(self) -> None:
        """Notes in the run folder which images training never sees."""
        if len(self.held_out):
            names = [self.dataset.names[index] for index in self.held_out]
            write_text(self.folder.path / "holdout.json", json.dumps(names, indent=1) + "\n")

    def _resume(self) -> None:
        checkpoints = self.folder.checkpoints()
        if checkpoints:
            self.state.load(checkpoints[-1])
            self.say(f"resuming {self.folder.path} at {self.state.images_seen / 1000:.1f} kimg")
            laps = [
                row["sec_per_kimg"] for row in read_log(self.folder.path) if row["images"] <= self.state.images_seen
            ]
            self.sec_per_kimg = laps[-1] if laps else 0.0

    def _finished(self) -> bool:
        return self.no_better or self.state.images_seen >= self.config.training.kimg * 1000

    def _make_evaluator(self) -> Evaluator | None:
        """What measures the generator, if that is wanted and can be had."""
        if self.config.training.evaluate_kimg == 0:
            return None
        real = real_images(self.dataset, self.members, self.held_out)
        try:
            evaluator = Evaluator(self.folder.path, real, self.device, self.say)
        except UserError as error:
            self.say(f"warning: the generator will not be measured: {error}")
            return None
        evaluator.resume(self.state.images_seen)
        self._judge_progress(evaluator)
        return evaluator

    def _measurement_due(self, before: int) -> bool:
        """Whether the step since `before` images led to a moment at which the generator is to be measured."""
        every = self.config.training.evaluate_kimg
        return self.evaluator is not None and (self._finished() or self._crossed(before, every))

    def _measure(self, log: Log | None) -> None:
        """Measures the generator of the checkpoint that was just written, unless that was done."""
        evaluator, state = self.evaluator, self.state
        assert evaluator is not None
        if distributed.any_rank(evaluator.has(state.images_seen)):
            return
        augment = self.config.augment
        generator = TrainedGenerator(state.generator_ema, self._info())
        row, _ = evaluator.measure(generator, self.config.training.evaluate_kimg * self.sec_per_kimg)
        if log is not None:
            last = read_log(self.folder.path)[-1]
            row |= {name: last[name] for name in ("images", "kimg", "p", "r_t", "r_v") if name in last}
            evaluator.record(row, augment.maximum if augment.adapts else None)
            log.measurement(row)
            self.say(f"measured in {row['measuring_seconds']:.0f} s: {summary(row)}")
            for line in row["findings"]:
                self.say(f"  {line}")
        self._judge_progress(evaluator)

    def _judge_progress(self, evaluator: Evaluator) -> None:
        """Whether so many measurements in a row brought nothing better that the run ends."""
        patience = self.config.training.stop_after
        enough = patience is not None and without_improvement(evaluator.rows) >= patience
        self.no_better = distributed.any_rank(enough)
        if self.no_better:
            self.say(f"{patience} measurements in a row brought nothing better: the run ends, as --stop-after asks")

    def _confirm_best(self) -> None:
        if self.evaluator is not None:
            line = self.evaluator.confirm_best(self.config.training.evaluate_kimg * self.sec_per_kimg)
            if line:
                self.say(line)

    def _crossed(self, before: int, kimg: float) -> bool:
        """Whether the step since `before` images reached a multiple of `kimg` thousand images."""
        return self.state.images_seen // (kimg * 1000) > before // (kimg * 1000)

    def _tick(self, log: Log | None, seconds: float, images: int) -> None:
        """Prints and logs the means since the last tick; a NaN or infinite loss ends the run."""
        averages = self.averages.take()
        broken = [name for name, value in averages.items() if not math.isfinite(value)]
        if broken:
            raise self._broken(broken[0], averages[broken[0]])
        seen, p = self.state.images_seen, float(self.state.controller.p)
        row = {
            "images": seen,
            "kimg": seen / 1000,
            "sec_per_kimg": round(seconds / images * 1000, 4),
            "p": p,
            **averages,
        }
        if "logits_holdout" in row and row["logits_real"] != row["logits_fake"]:
            overfitting = row["logits_real"] - row["logits_holdout"]
            row["r_v"] = overfitting / (row["logits_real"] - row["logits_fake"])
        self.sec_per_kimg = row["sec_per_kimg"]
        if log is not None:
            log.write(row)
            self.say(progress_line(row, self.config.training.kimg))
            self._watch_cap(p)
            if averages.get("loss_G", 0.0) > DIVERGED_LOSS:
                self.say("warning: the generator's loss says that training has diverged: lower --learning-rate")

    def _broken(self, name: str, value: float) -> UserError:
        """The error that ends a run with NaN or infinite figures; one process tells it."""
        if distributed.rank() > 0:
            return PeerError(name)
        kept = self.folder.checkpoints()
        return RunFailed(
            f"{self.folder.path}: {name} became {value} near {self.state.images_seen / 1000:.1f} kimg; "
            f"the last good checkpoint is {kept[-1].name if kept else 'none'}; "
            "start anew with --precision fp32, a larger --gamma or another --seed"
        )

    def _watch_cap(self, p: float) -> None:
        """Warns once when p has stayed at its cap."""
        augment, kimg = self.config.augment, self.state.images_seen / 1000
        if augment.p is not None or p < augment.maximum:
            self.at_cap_since = None
        elif self.at_cap_since is None:
            self.at_cap_since = kimg
        elif self.at_cap_since >= 0 and kimg - self.at_cap_since >= CAP_WARNING_KIMG:
            self.at_cap_since = -math.inf
            self.say(
                f"warning: p has stayed at its cap of {augment.maximum}: the set is small for this discriminator; "
                "more images, a larger --gamma or stopping earlier help, a higher cap lets augmentations leak"
            )

    def _snapshot(self, log: Log | None) -> None:
        """Writes all that a run leaves: the checkpoint, the generator, samples, curves."""
        if log is None:
            return
        state, folder, info = self.state, self.folder.path, self._info()
        self.folder.save_checkpoint(state, self.config.training.keep)
        save_generator(folder / GENERATOR_FILE, state.generator_ema, info)
        picture = sample_grid(TrainedGenerator(state.generator_ema, info))
        with atomic_path(folder / f"samples-{state.images_seen:010d}.png") as temporary:
            picture.save(temporary)
        log.picture(np.asarray(picture), state.images_seen)
        with atomic_path(folder / "curves.png") as temporary:
            plot_curves(read_log(folder), temporary)

    def _info(self) -> GeneratorInfo:
        """What there is to know of the generator as it is now."""
        counts = (
            np.bincount(self.dataset.labels[self.members], minlength=self.dataset.c_dim)
            if self.config.classes and self.dataset.labels is not None
            else np.zeros(0, int)
        )
        return GeneratorInfo(
            network=self.config.network,
            classes=self.config.classes,
            class_counts=tuple(int(count) for count in counts),
            images_seen=self.state.images_seen,
        )

    def _say_estimate(self, should_stop: Callable[[], bool]) -> None:
        images_seen = self.state.images_seen
        micro_batches = self.real.micro_batches(images_seen)
        for line in estimate(self.phases, micro_batches, self.config.training, images_seen, should_stop):
            self.say(line)
