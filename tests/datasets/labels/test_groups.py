"""What belongs together by the images' paths."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stylegan_ada import UserError
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset

NAMES = ("cat/P01/P01_a.png", "cat/P02/P02_a.png", "dog/P01/P01_b.png", "dog/P03/x/P03_a.png")


@pytest.fixture
def patients(save: Callable[..., Any], tmp_path: Path) -> Path:
    for name in NAMES:
        save(name)
    return tmp_path / "set"


def groups_of(folder: Path, rule: str, **how: bool) -> dict[str, str]:
    dataset = load_dataset(str(folder), Preparation(groups=rule, **how))
    return dict(zip(dataset.names, dataset.groups, strict=True))


@pytest.mark.parametrize("rule", ["folder:2", r"name:(P\d+)_", r"name:P\d+(?=_)", r"name:/(P\d+)/"])
@pytest.mark.parametrize("use_labels", [True, False])
def test_groups_by_paths(patients: Path, rule: str, use_labels: bool) -> None:
    found = groups_of(patients, rule, use_labels=use_labels)
    assert found == dict(zip(NAMES, ("P01", "P02", "P01", "P03"), strict=True))


def test_the_folder_is_counted_from_the_top(patients: Path) -> None:
    assert set(groups_of(patients, "folder:1").values()) == {"cat", "dog"}


def test_a_single_folder_that_holds_everything_is_no_level(save: Callable[..., Any], tmp_path: Path) -> None:
    for name in NAMES:
        save(f"all/{name}")
    assert set(groups_of(tmp_path / "set", "folder:2").values()) == {"P01", "P02", "P03"}


def test_paths_without_such_a_folder(patients: Path) -> None:
    with pytest.raises(UserError, match=r"`groups` folder:3: 3 of 4 images .* \(first: 'cat/P01/P01_a\.png'\)"):
        groups_of(patients, "folder:3")


def test_names_that_the_pattern_does_not_match(patients: Path) -> None:
    with pytest.raises(UserError, match=r"`groups` name:\(P0\[13\]\)_: 1 of 4 images .* 'cat/P02/P02_a\.png'"):
        groups_of(patients, "name:(P0[13])_")


@pytest.mark.parametrize("rule", ["name:x*", "name:(Q)?P"])
def test_an_empty_match_is_none(patients: Path, rule: str) -> None:
    with pytest.raises(UserError, match="4 of 4 images"):
        groups_of(patients, rule)


@pytest.mark.parametrize(
    "rule",
    [
        "folder:0",
        "folder:-1",
        "folder:" + 5000 * "9",
        "folder:x",
        "folder:",
        "2",
        "name:",
        "name:(",
        "patient",
        "name:a{99999999999}",
    ],
)
def test_rules_that_are_none(rule: str) -> None:
    with pytest.raises(UserError, match="`groups`") as caught:
        Preparation(groups=rule)
    assert "\n" not in str(caught.value)


def test_forms_of_unicode_are_one_group(save: Callable[..., Any], tmp_path: Path) -> None:
    for index, name in enumerate(["cat/Zoe\u0308", "cat/Ann", "dog/Zo\u00eb", "dog/Ann"]):
        save(f"{name}/{index}.png")
    found = groups_of(tmp_path / "set", "folder:2")
    assert sorted(found.values()) == ["Ann", "Ann", "Zo\u00eb", "Zo\u00eb"]
    assert set(groups_of(tmp_path / "set", "name:Zo\u00eb|Ann").values()) == {"Ann", "Zo\u00eb"}


def test_the_option_wins_over_the_column_and_says_so(patients: Path) -> None:
    rows = [f"{name},{name[:3]},one" for name in NAMES]
    (patients / "labels.csv").write_text("\n".join(["file,label,group", *rows]))
    dataset = load_dataset(str(patients), Preparation(groups="folder:2"))
    assert dataset.groups == ("P01", "P02", "P01", "P03")
    line = "`groups` folder:2: 3 groups (such as 'P01'), the column `group` of labels.csv is not used"
    assert line in dataset.notes


def test_without_the_option_nothing_is_new(patients: Path, cache: Path) -> None:
    """Neither the set's fingerprint nor the place of the packed one: from the code before."""
    with_groups = load_dataset(str(patients), Preparation(groups="folder:2"))
    plain = load_dataset(str(patients), Preparation())
    assert plain.groups is None
    assert plain.fingerprint != with_groups.fingerprint
    assert plain.fingerprint == "acec8298eb9da80a695cdfe42328dd899597fd675dcfe82a778760d8251a2a3c"
    metas = [json.loads(path.read_text()) for path in (cache / "datasets").glob("*.json")]
    assert sorted(meta["groups"] is None for meta in metas) == [False, True]
