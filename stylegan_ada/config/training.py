"""The optimisation: losses, rates, lengths."""

from dataclasses import dataclass

from .settings import COUNT, NOT_NEGATIVE, POSITIVE, REQUIRED, Range, check, require, setting


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The optimisation. Lengths are in thousands of real images shown to the discriminator (kimg)."""

    transition: tuple[float, float] | None = setting(  # from all labels ignored to all obeyed, arXiv 2201.06578
        None,
        "START,END: thousands of images between which labels are blended in; or none.",
        within=NOT_NEGATIVE,
        unset="none, labels count from the start",
    )
    kimg: float = setting(
        REQUIRED,
        "Length of the run in thousands of images. A finished run goes on if this is raised.",
        within=POSITIVE,
        chosen_by="the number of images and the device",
    )
    batch: int = setting(32, "Images per step, over all processes.", within=COUNT, chosen_by="the size and the device")
    micro_batch: int | None = setting(
        None,
        "Images that a process computes at once: fewer take less memory, the step stays the same.",
        within=COUNT,
        unset="the whole share of a process",
    )
    seed: int = setting(
        0, "The seed of everything random.", within=Range("a whole number from 0 to 2^63 - 1", 0, 2**63 - 1)
    )
    learning_rate: float = setting(  # Adam with betas 0 and 0.99
        0.0025, "Learning rate.", within=Range("a rate between 0 and 1", 0, 1, ends=False)
    )
    discriminator_rate: float = setting(1.0, "The discriminator's learning rate, as a multiple.", within=POSITIVE)
    gamma: float = setting(  # of R1, equation 9 of arXiv 1801.04406: half of it weighs the penalty
        0.0064, "Weight of R1.", within=NOT_NEGATIVE, chosen_by="the size and the batch"
    )
    r1_interval: int = 16  # steps between R1 phases
    pl_weight: float = 2.0  # 0 switches path length regularisation off
    pl_interval: int = 4  # steps between path length phases
    pl_batch_shrink: int = setting(  # they take every second image of a batch (all of an odd one)
        2, within=COUNT
    )
    pl_decay: float = 0.01  # of the running mean of path lengths
    style_mixing: float = 0.9  # probability of a second w above a random layer
    w_mean_beta: float = 0.998  # decay per step of the running mean of w
    ema_kimg: float = setting(
        10.0,
        "Half-life of the generator's moving average, in thousands of images.",
        within=NOT_NEGATIVE,
        chosen_by="the batch",
    )
    ema_rampup: float = 0.05  # the half-life is at most this share of the images seen so far
    tick_kimg: float = setting(1.0, "Thousands of images between progress lines.", within=POSITIVE)
    snapshot_kimg: float = setting(20.0, "Thousands of images between checkpoints.", within=POSITIVE)
    keep: int = 3  # checkpoints
    evaluate_kimg: float = setting(
        0.0,
        "Thousands of images between measurements; 0 for none.",
        within=NOT_NEGATIVE,
        chosen_by="the length of the run, a tenth of it",
    )
    stop_after: int | None = setting(
        None,
        "End the run after this many measurements in a row without an improvement.",
        within=COUNT,
        unset="never early",
    )
    timeout: float = setting(
        30.0,
        "Minutes that processes of torchrun wait for one that does not answer, once training has begun.",
        within=Range("minutes from 0.1 to 10080, a week", 0.1, 10080),
    )

    @property
    def pl_every(self) -> int:
        """Path lengths are taken of each image whose index is a multiple of this."""
        return self.pl_batch_shrink if self.batch % self.pl_batch_shrink == 0 else 1

    def __post_init__(self) -> None:
        check(self)
        window = self.transition or (0.0, 0.0)
        require(
            len(window) == 2 and window[0] <= window[-1],
            f"`transition` {','.join(f'{kimg:g}' for kimg in window)}: give START,END in thousands of images, or none",
        )
        require(
            self.stop_after is None or self.evaluate_kimg > 0,
            "`stop_after`: needs measurements, give `evaluate_kimg` as well",
        )
