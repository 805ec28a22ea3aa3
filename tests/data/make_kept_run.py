"""Made run-0.1 and run-0.1-unlabelled, on a CPU, by stylegan_ada 0.1.0 at commit 85b37e4.

In a checkout of that commit, into which this script and the two command.txt were copied:

    OMP_NUM_THREADS=1 python tests/data/make_kept_run.py

It need not run with later versions: the files show that these read what 0.1.0 wrote. No option sets `z_dim`, `w_dim`
and the intervals: they are small here, for small files and so that the steps that are repeated have every phase.
"""

import dataclasses
import os
import shlex
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch

from stylegan_ada import load_generator
from stylegan_ada.cli import main
from stylegan_ada.cli.train import train
from stylegan_ada.options import train_options
from stylegan_ada.training import RunFolder, start

HERE = Path(__file__).resolve().parent
NETWORKS = ("generator_ema", "discriminator")
EXTRA = "- RandomInvert\n- {name: RandomGaussianBlur, kernel_size: [3, 3], sigma: [0.1, 2.0]}\n"  # extra.yaml
CPU = torch.device("cpu")


def configured(command: str):
    given = dict(train.make_context("train", shlex.split(command)[1:]).params)
    folder = RunFolder(given.pop("out"))
    del given["dry_run"]
    options = start.check(train_options(**given), folder, CPU)
    config, dataset, trained = start.configure(options, folder, CPU, print)
    network = dataclasses.replace(config.network, z_dim=8, w_dim=8)
    training = dataclasses.replace(config.training, r1_interval=3, pl_interval=2)
    return dataclasses.replace(config, network=network, training=training), options, dataset, trained, folder


def labelled(kept: Path) -> None:
    command = (kept / "command.txt").read_text()
    config, options, dataset, trained, folder = configured(command)
    start.run(config, options, dataset, trained, folder, CPU, print, lambda: False)
    files = ["config.json", "options.json", "holdout.json", "log.jsonl", "generator.safetensors"]
    for name in [*files, "checkpoint-0000000064.pt"]:
        shutil.copy(folder.path / name, kept)
    images = load_generator(folder.path).sample(range(4))

    main([*shlex.split(command), "--kimg", "0.08"])  # two steps more
    state = torch.load(folder.path / "checkpoint-0000000080.pt", weights_only=True)
    weights = {f"{network}/{name}": tensor.numpy() for network in NETWORKS for name, tensor in state[network].items()}
    np.savez_compressed(kept / "expected.npz", images=images, **weights)


def unlabelled(kept: Path) -> None:
    Path("extra.yaml").write_text(EXTRA)
    config, options, _, _, folder = configured((kept / "command.txt").read_text())
    folder.path.mkdir(exist_ok=True)
    folder.write_config(config)
    folder.write_options(dataclasses.asdict(options))
    for name in ("config.json", "options.json"):
        shutil.copy(folder.path / name, kept)


for make, name in ((labelled, "run-0.1"), (unlabelled, "run-0.1-unlabelled")):
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        make(HERE / name)
        os.chdir(HERE)
