import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada import UserError
from stylegan_ada.utility.assess import Assessment, Question, assess


class Killed(Exception):
    pass


@pytest.fixture
def ask(digits_run: Path, test_set: Path, pixel_features: Path) -> Callable[..., Any]:
    def ask(
        out: Path,
        progress: Callable[..., Any] = lambda name: lambda done, total: None,
        **question: bool | tuple[str, str],
    ) -> Assessment:
        question = {"arms": ("real", "classic", "synthetic", "combined"), "classifiers": ("linear",)} | question
        return assess(
            digits_run,
            out,
            Question(features=str(pixel_features), ratios=(1.0,), seeds=2, **question),
            test=str(test_set),
            device=torch.device("cpu"),
            say=lambda line: None,
            progress=progress,
        )

    return ask


def figures(out: Path) -> tuple[str, list[dict[str, Any]]]:
    content = json.loads((out / "results.json").read_text())
    return content["sentence"], [{**arm, "seconds": 0} for arm in content["arms"]]


def test_what_is_stopped_goes_on_where_it_was(ask: Callable[..., Any], tmp_path: Path) -> None:
    def stops(name: str) -> Callable[..., Any]:
        def step(done: int, total: int) -> None:
            if (name, done) == ("classifiers", 3):
                raise Killed

        return step

    with pytest.raises(Killed):
        ask(tmp_path / "a", stops)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "a/work").rglob("*.npz")}
    assert len([path for path in kept if path.parent.name == "trials"]) == 3
    told = []
    ask(tmp_path / "a", lambda name: lambda done, total: told.append((name, done, total)))
    assert ("classifiers", 8, 8) in told
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    ask(tmp_path / "b")
    assert figures(tmp_path / "a") == figures(tmp_path / "b")


def test_another_question_or_others_files_stay_as_they_are(ask: Callable[..., Any], tmp_path: Path) -> None:
    ask(tmp_path / "a", arms=("real", "synthetic"))
    before = (tmp_path / "a/results.json").read_bytes()
    with pytest.raises(UserError, match="begun with another balance: give the same options to go on, another `out`"):
        ask(tmp_path / "a", arms=("real", "synthetic"), balance=True)
    assert (tmp_path / "a/results.json").read_bytes() == before
    (tmp_path / "b").mkdir()
    (tmp_path / "b/letter.txt").write_text("Dear")
    with pytest.raises(UserError, match="holds something else, give a new folder"):
        ask(tmp_path / "b")


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"classifiers": ("svm",)}, "`classifier` svm: no such choice"),
        ({"fractions": (0.0, 1.0)}, "`fractions` 0.0,1.0: give numbers above 0, up to 1"),
        ({"seeds": 0}, "`seeds` 0: give 1 or more"),
        ({"truncation_psi": 3.0}, "`truncation_psi` 3.0"),
        ({"arms": ("real",)}, "nothing to judge"),
    ],
)
def test_questions_that_cannot_be_asked(question: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Question(**question)
