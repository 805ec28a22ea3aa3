"""Options that go together under a name."""

import dataclasses

from ..errors import UserError, nearest
from .options import TrainOptions

TRAINING_PRESETS = ("auto", "demo")

# less than 15 minutes on two CPU cores. Batch 16 had the better FID at every length tried (docs/training.md)
DEMO = TrainOptions(
    data="",
    size="32",
    mirror="hv",
    kimg=40,
    batch=16,
    precision="fp32",  # in bf16 a fifth more images fit in, and are worth less (docs/training.md)
    channel_base=2048,
    channel_max=64,
    gamma=0.02,
    discriminator_rate=2,
    ada_kimg=100,
    ema_kimg=5,
    snapshot_kimg=10,
    evaluate_kimg=20,
)


def with_preset(options: TrainOptions) -> TrainOptions:
    """The options with the preset's own where none were given."""
    if options.preset not in TRAINING_PRESETS:
        raise UserError(f"`preset` {options.preset}: no such choice, {nearest(options.preset, TRAINING_PRESETS)}")
    if options.preset == "auto":
        return options
    chosen = {
        field.name: getattr(DEMO, field.name)
        for field in dataclasses.fields(options)
        if field.name not in ("data", "preset") and getattr(options, field.name) is None
    }
    return dataclasses.replace(options, **chosen)
