"""The training loop. Read `Trainer.train` first."""

from collections.abc import Callable
from contextlib import closing

import torch
from torch import Tensor

from .. import distributed
from ..augment import AugmentPipe, r_v
from ..checkpoint import GeneratorInfo
from ..config import RunConfig
from ..datasets import ImageDataset, balanced
from ..metrics.evaluate import real_images
from ..progress import Say
from ..sampling import TrainedGenerator
from .best import forget_after
from .evaluation import Evaluator, make_evaluator
from .outputs.between_ticks import Averages, Clock, ScrubbedGradients
from .outputs.estimate import estimate
from .outputs.log import Log
from .outputs.memory import check_memory
from .outputs.snapshot import generator_info, write_generator, write_snapshot
from .outputs.ticker import Ticker
from .resume import has_generator_of, load_newest
from .run_folder import RunFolder
from .run_images import run_split
from .schedule import CONTROLLER_INTERVAL, Schedule, label_weight
from .state import ema_beta, fresh_state, update_ema
from .step.batches import BatchSource
from .step.objective import Objective, StepStatistics
from .step.phases import make_phases


class Trainer:
    """One run: its networks, its data, its folder."""

    def __init__(
        self,
        config: RunConfig,
        dataset: ImageDataset,
        folder: RunFolder,
        device: torch.device,
        say: Say,
    ):
        """say: prints a line; called by the first process only."""
        self.config, self.dataset, self.folder, self.device, self.say = config, dataset, folder, device, say
        training = config.training
        self.members, self.held_out = run_split(dataset, config)
        epoch = self.members
        if dataset.labels is not None:
            by = config.data.balance_by
            kinds = dataset.labels if by is None else dataset.value_indices(by)
            epoch = balanced(self.members, kinds[self.members], config.data.balance)
        self.real = BatchSource(dataset, epoch, config.data, training, "real", device)
        self.holdout = BatchSource(dataset, self.held_out, config.data, training, "holdout", device)
        self.state = fresh_state(config, device)
        for network in (self.state.generator, self.state.generator_ema, self.state.discriminator):
            distributed.broadcast(network)
        labels = torch.from_numpy(dataset.label_vectors(epoch)).to(device)
        augment = config.augment
        augmented = augment.ada_p != 0 and (augment.augment or augment.augment_extra)
        shape, masks = config.network.image_shape, config.network.mask_channels
        pipe = AugmentPipe(augment.augment, shape, augment.augment_extra, masks) if augmented else None
        self.objective = Objective(
            generator=self.state.generator,
            discriminator=self.state.discriminator,
            pipe=None if pipe is None else pipe.to(device),
            p=self.state.controller.p,
            path_length_mean=self.state.path_length_mean,
            label_table=labels,
            config=training,
        )
        self.phases = make_phases(
            self.objective,
            self.state.generator_optimizer,
            self.state.discriminator_optimizer,
            training,
            config.start,
        )
        self.averages = Averages(device)
        self.scrubbed = ScrubbedGradients()
        self.evaluator: Evaluator | None = None
        self.sec_per_kimg = 0.0  # at the last tick

    def train(self, should_stop: Callable[[], bool]) -> bool:
        """Trains up to the configured number of images. Returns whether it got there, rather than being asked to stop.

        should_stop is asked after every step; the run then ends with a checkpoint.
        """
        self._resume()
        with self.real.reading_ahead():
            if distributed.rank() > 0:
                return self._train(should_stop, None)
            forget_after(self.folder, self.state.images_seen, self.say)
            with closing(Log(self.folder, self.state.images_seen)) as log:
                return self._train(should_stop, log)

    def _train(self, should_stop: Callable[[], bool], log: Log | None) -> bool:
        """log: the first process has one."""
        state, training = self.state, self.config.training
        real = real_images(self.dataset, self.members, self.held_out)
        self.evaluator = make_evaluator(training, self.folder, real, self.device, self.say, state.images_seen)
        schedule = Schedule.of(training, measured=self.evaluator is not None)
        ticker = Ticker(self.config, self.folder, log, self.say)
        if state.images_seen and (
            self._given_up() or schedule.measures(state.images_seen - training.batch, state.images_seen)
        ):
            self._measure(log)  # unless the run had come to it
        if not self._finished(schedule):
            self._say_estimate(should_stop)
        clock = Clock(self.device)
        lap_start = state.images_seen
        stop = distributed.any_rank(should_stop())  # all stop after the same step
        while not (stop or self._finished(schedule)):
            before = state.images_seen
            self.step()
            stop = distributed.any_rank(should_stop())
            if stop or schedule.ticks(before, state.images_seen):
                sec_per_kimg = clock.lap() / (state.images_seen - lap_start) * 1000
                averages, scrubbed = self.averages.take(), self.scrubbed.take()
                row = ticker.tick(state.images_seen, float(state.controller.p), sec_per_kimg, averages, scrubbed)
                self.sec_per_kimg, lap_start = row["sec_per_kimg"], state.images_seen
            if stop or schedule.snapshots(before, state.images_seen):
                ticker.check_finite(state)
                if log is not None:
                    write_snapshot(self.folder, state, self._info(), self.config, log)
            if schedule.measures(before, state.images_seen) and not stop:
                self._measure(log)
                clock.lap()
        if self.evaluator is not None and self._finished(schedule):
            self.evaluator.confirm_best(training.evaluate_kimg * self.sec_per_kimg)
        distributed.wait_for_all()  # the first rank was still writing: none may leave the group before
        return self._finished(schedule)

    def step(self) -> None:
        """One pass over all phases that are due, on one batch of real images."""
        state, training = self.state, self.config.training
        share = self.real.share
        self.objective.statistics = StepStatistics()
        micro_batches = self.real.micro_batches(state.images_seen)
        if training.transition is not None:
            weight = label_weight(state.images_seen, training.transition)
            state.generator.mapping.blend(weight)
            self.averages.add("label_weight", torch.full((), weight * share, device=self.device), share)
        moves_p = (state.steps + 1) % CONTROLLER_INTERVAL == 0
        held_out = self._judge_held_out() if moves_p and len(self.held_out) else None
        for phase in self.phases:
            if state.steps % phase.interval == 0:
                total = phase.gradients(micro_batches, training.batch)
                self.scrubbed.add(phase.name, phase.step())
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
        r = (
            r_v(real_mean, held_out.double(), fake_mean)
            if augment.ada_signal == "rv" and held_out is not None
            else None
        )
        if augment.adapts:
            state.controller.update(images, r)
        state.logit_sums.zero_()

    def write_holdout(self) -> None:
        """Notes in the run folder which images training never sees."""
        if len(self.held_out):
            self.folder.write_holdout([self.dataset.names[index] for index in self.held_out])

    def _resume(self) -> None:
        if load_newest(self.folder, self.state, self.config, self.say):
            self.say(f"resuming {self.folder.path} at {self.state.images_seen / 1000:.1f} kimg")
            laps = [row["sec_per_kimg"] for row in self.folder.read_log() if row["images"] <= self.state.images_seen]
            self.sec_per_kimg = laps[-1] if laps else 0.0
            if distributed.rank() == 0 and not has_generator_of(self.folder, self._info()):
                write_generator(self.folder, self.state, self._info(), self.config)

    def _finished(self, schedule: Schedule) -> bool:
        return self._given_up() or schedule.finished(self.state.images_seen)

    def _given_up(self) -> bool:
        return self.evaluator is not None and self.evaluator.given_up

    def _measure(self, log: Log | None) -> None:
        """Measures the generator of the checkpoint that was just written."""
        assert self.evaluator is not None
        generator = TrainedGenerator(self.state.generator_ema, self._info())
        seconds = self.config.training.evaluate_kimg * self.sec_per_kimg
        augment = self.config.augment
        self.evaluator.measure_last(generator, seconds, log, augment.ada_max if augment.adapts else None)

    def _info(self) -> GeneratorInfo:
        return generator_info(self.config, self.dataset, self.members, self.state.images_seen)

    def _say_estimate(self, should_stop: Callable[[], bool]) -> None:
        images_seen = self.state.images_seen
        micro_batches = self.real.micro_batches(images_seen)
        check_memory(self.phases, micro_batches, self.config, self.say)
        for line in estimate(self.phases, micro_batches, self.config.training, images_seen, should_stop):
            self.say(line)
