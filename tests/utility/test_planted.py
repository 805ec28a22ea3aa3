"""Cases of which the answer is known."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_ada import UserError
from stylegan_ada.utility.assess import Question, assess

CPU = torch.device("cpu")


@pytest.fixture
def ask(digits_run: Path, test_set: Path, pixel_features: Path, tmp_path: Path) -> Callable[..., Any]:
    def ask(
        synthetic: Path | None = None, test: Path | None = None, out: None = None, **question: int | tuple[Any, ...]
    ) -> tuple[Any, ...]:
        question = {"arms": ("real", "synthetic"), "ratios": (1.0,), "classifiers": ("linear",)} | question
        lines = []
        found = assess(
            digits_run,
            out or tmp_path / "out",
            Question(features=str(pixel_features), **question),
            test=str(test or test_set),
            synthetic=synthetic and str(synthetic),
            device=CPU,
            say=lines.append,
        )
        return found, lines

    return ask


@pytest.fixture(scope="module")
def unseen(digits: dict[str, np.ndarray], write: Callable[..., Any]) -> Path:
    """What a perfect generator would make: real digits that neither the run nor the test has."""
    return write({name: images[110:] for name, images in digits.items()})


def test_unseen_images_of_a_rare_class_are_a_gain(ask: Callable[..., Any], unseen: Path, tmp_path: Path) -> None:
    found, _ = ask(unseen, balance=True)
    assert found.verdict.kind == "gain"
    assert found.verdict.sentence.startswith("Synthetic images raised balanced accuracy by ")
    before, after = (result.recall[1] for result in found.results)
    assert after > before + 0.05
    saved = json.loads((tmp_path / "out" / "results.json").read_text())
    assert saved["verdict"] == "gain"
    assert saved["arms"][1]["gain"]["p_corrected"] < 0.05
    assert saved["arms"][1]["synthetic_images"] == pytest.approx(0.8 * 126, abs=3)


def test_unseen_images_help_the_network_too(ask: Callable[..., Any], unseen: Path) -> None:
    found, _ = ask(unseen, balance=True, ratios=(3.0,), classifiers=("cnn",), seeds=2)
    assert found.verdict.kind == "gain"


def test_noise_with_labels_is_no_gain(ask: Callable[..., Any], write: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    noise = write({name: rng.integers(0, 256, (60, 16, 16)).astype(np.uint8) for name in ("1", "8", "9")})
    found, _ = ask(noise, ratios=(1.0, 5.0))
    assert found.verdict.kind in ("no gain shown", "harm")


def test_labels_in_disorder_do_harm(
    ask: Callable[..., Any], digits: dict[str, np.ndarray], write: Callable[..., Any]
) -> None:
    wrong = {"1": digits["8"][110:], "8": digits["9"][110:], "9": digits["1"][110:]}
    found, _ = ask(write(wrong), ratios=(5.0,), balance=True)
    assert found.verdict.kind == "harm"
    assert found.verdict.sentence.startswith("They did harm: ")


def test_a_generator_that_memorised_its_test_images_is_caught(
    ask: Callable[..., Any], digits: dict[str, np.ndarray], write: Callable[..., Any], train_set: Path
) -> None:
    """Images to test on that the run was trained on: saved again, a little brighter."""
    again = {}
    for name in digits:
        again[name] = []
        for path in sorted((train_set / name).iterdir()):
            file = io.BytesIO()
            brighter = Image.fromarray((np.asarray(Image.open(path)) * 0.95).astype(np.uint8))
            brighter.save(file, "JPEG", quality=98)
            again[name].append(np.asarray(Image.open(file)))
    with pytest.raises(
        UserError, match=r"126 of 126 were refused, first 1/000.png: the run was trained on this picture"
    ):
        ask(test=write(again))
    again["9"] += list(digits["9"][60:90])
    again["1"] += list(digits["1"][60:90])
    found, lines = ask(test=write(again))
    assert len(found.real.test) == 60
    assert len(found.real.refused) == 126
    assert "warning: 1/000.png is left out of the test: the run was trained on this picture, as 1/000.png" in lines
    assert "warning: 116 more are left out: results.json names them" in lines
    assert any("class 8 has no test images" in line for line in lines)


def test_a_synthetic_set_that_holds_test_images_is_caught(
    ask: Callable[..., Any], digits: dict[str, np.ndarray], write: Callable[..., Any]
) -> None:
    """What is left out of the test cannot be gained by repeating it."""
    synthetic = write({name: images[80:140] for name, images in digits.items()})
    found, _ = ask(synthetic, ratios=(5.0,), balance=True)
    assert len(found.real.test) == 3 * 20
    assert found.real.refused[0] == ("1/020.png", "a synthetic image is this picture, 1/000.png")
