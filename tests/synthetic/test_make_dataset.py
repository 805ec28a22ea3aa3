"""`stylegan_ada.make_dataset`: what a program gets of it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada import UserError, load_generator, make_dataset


def test_counts_come_back_and_lines_are_said(generator_file: Path, tmp_path: Path) -> None:
    said = []
    counts = make_dataset(generator_file, tmp_path / "set", count=8, psi=0.7, seed=3, say=said.append)
    assert counts == {"a": 6, "b": 2}  # 8 in the training set's shares, 3 to 1
    assert {name: len(os.listdir(tmp_path / "set" / name)) for name in counts} == counts
    assert said[-1] == f"8 images, manifest.csv, dataset.json and README.md are in {tmp_path / 'set'}"
    first = sorted((tmp_path / "set/b").iterdir())[0]
    alone = load_generator(generator_file).sample([int(first.stem[4:])], ["b"], 0.7)[0, :, :, 0]
    assert np.abs(np.asarray(Image.open(first)).astype(int) - alone).max() <= 1


def test_psi_is_a_number_or_texts(generator_file: Path, tmp_path: Path) -> None:
    for name, psi, wanted in (("a", 0.5, [0.5, 0.5]), ("b", "0.5", [0.5, 0.5]), ("c", ["0.7", "b=1.2"], [0.7, 1.2])):
        make_dataset(generator_file, tmp_path / name, per_class=1, psi=psi, say=lambda line: None)
        assert json.loads((tmp_path / name / "dataset.json").read_text())["psi"] == wanted


def test_without_labels(make_generator_file: Callable[..., Any], tmp_path: Path) -> None:
    assert make_dataset(make_generator_file(()), tmp_path / "set", count=3, say=lambda line: None) == {"": 3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give one of `per_class`, `count` and `balance_with`"),
        ({"per_class": 1, "count": 1}, "give one of"),
        ({"per_class": 0}, "`per_class` 0: give 1 or more"),
        ({"count": 1, "psi": 3}, "`psi` 3.0: give a truncation from 0 to 2"),
        ({"count": 1, "seed": -1}, "`seed` -1: give a whole number from 0"),
        ({"count": 1, "format": "gif"}, "`format` gif: no such choice"),
        ({"count": 1, "file_column": "f"}, "they are for `balance_with`"),
    ],
)
def test_mistakes_name_parameters(
    generator_file: Path, tmp_path: Path, options: Callable[..., Any] | dict[str, Any] | list[Any], message: Any
) -> None:
    with pytest.raises(UserError, match=message):
        make_dataset(generator_file, tmp_path / "set", **options)
    assert not list(tmp_path.iterdir())


def test_what_is_left_of_a_finished_set_is_deleted(generator_file: Path, tmp_path: Path) -> None:
    """By a process that was killed after its set was whole; not what another set was begun with."""
    out, partial = tmp_path / "set", tmp_path / ".set.partial"

    def make_again() -> None:
        with pytest.raises(UserError, match="it exists already"):
            make_dataset(generator_file, out, count=2, say=lambda line: None)

    make_dataset(generator_file, out, count=2, say=lambda line: None)
    (partial / "blocks").mkdir(parents=True)
    (partial / "blocks/class0000-block00000000.npz").touch()
    options = {**json.loads((out / "dataset.json").read_text()), "seed": 1}
    (partial / "options.json").write_text(json.dumps(options))
    make_again()
    assert partial.exists()
    (partial / "options.json").write_text(json.dumps({**options, "seed": 0}))
    make_again()
    assert not partial.exists()
