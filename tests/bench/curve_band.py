"""The curves of 200 steps of training at 32x32 by plain ops, one per seed, which `test_curve.py` holds the package to.

    python -m tests.bench.curve_band --out tests/data/curve32.json

On sample:elpv, unlabelled, with a small network, in fp32. Each figure is a mean over a window of 20 steps. The package
is given another seed than the five, so that nothing but the training itself can make the curves alike.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from stylegan_ada.config import AugmentConfig, DataConfig, NetworkConfig, RunConfig, TrainingConfig
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.training import RunFolder, Trainer

STEPS, WINDOW = 200, 20
BAND = 4.0  # deviations
NAMES = ("loss_G", "loss_D", "logits_real", "logits_fake", "loss_G_pl", "loss_D_r1")


def curve(seed: int, precision: str = "fp32") -> list[list[float]]:
    """[windows, NAMES]"""
    dataset = load_dataset("sample:elpv", Preparation(size=(32, 32), use_labels=False))
    config = RunConfig(
        data=DataConfig(data="sample:elpv", size="32", no_labels=True),
        network=NetworkConfig(
            channels=1, height=32, width=32, z_dim=64, w_dim=64, channel_base=1024, channel_max=32, precision=precision
        ),
        augment=AugmentConfig(ada_p=0.2),
        training=TrainingConfig(kimg=1, batch=16, seed=seed, gamma=0.02),
        classes=(),
        fingerprint="",
    )
    trainer = Trainer(config, dataset, RunFolder(Path("unused")), torch.device("cpu"), print)
    windows = []
    for _ in range(STEPS // WINDOW):
        for _ in range(WINDOW):
            trainer.step()
        averages = trainer.averages.take()
        windows.append([round(averages[name], 5) for name in NAMES])
    return windows


def outside(found: list[list[float]], seeds: list[list[list[float]]]) -> list[str]:
    """The points that lie beyond the band, four standard deviations about the mean of the seeds. found: the first
    windows, or all.

    A figure's deviation is pooled over the windows, since that of five seeds alone is uncertain; the mean's own
    uncertainty is added to it.
    """
    values = np.array(seeds)  # [seeds, windows, names]
    deviation = np.sqrt(values.var(axis=0, ddof=1).mean(axis=0) * (1 + 1 / len(seeds)))  # [names]
    off = np.abs(np.array(found) - values.mean(axis=0)[: len(found)]) / deviation
    return [
        f"{NAMES[name]} in steps {window * WINDOW} to {(window + 1) * WINDOW}: {off[window, name]:.1f} deviations"
        for window, name in np.argwhere(off > BAND)
    ]


def main() -> None:
    from .machine import describe
    from .plain_ops import plain_ops

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    with plain_ops():
        plain = [curve(seed) for seed in range(1, arguments.seeds + 1)]
    package = {precision: curve(0, precision) for precision in ("fp32", "bf16")}
    report = {"machine": describe(), "names": NAMES, "window": WINDOW, "plain": plain, "package": package}
    arguments.out.write_text(json.dumps(report) + "\n")
    for precision, found in package.items():
        print(f"package, {precision}:", outside(found, plain) or "inside the band")
    for index, left_out in enumerate(plain):
        print(
            f"plain, seed {index + 1}, by the others:",
            outside(left_out, plain[:index] + plain[index + 1 :]) or "inside",
        )


if __name__ == "__main__":
    main()
