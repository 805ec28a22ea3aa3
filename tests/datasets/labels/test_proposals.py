import random
from pathlib import Path

import pytest

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets.labels.chosen import choose_or_propose
from stylegan_ada.datasets.labels.proposals import proposed_columns, proposed_levels, proposed_separator
from stylegan_ada.datasets.labels.tables import OnlyAttributes
from stylegan_ada.datasets.reading.sources import open_source


def test_columns_that_look_like_labels() -> None:
    rows = [
        {
            "scan": f"s{index}",
            "number": str(index),
            "group": "ab"[index % 2],
            "split": "train",
            "site": "one",
            "type": ("mono", "poly")[index % 2],
            "kind": ("mono", "poly")[index % 2],
            "crack": ("Yes", "no")[index // 10],
            "degree": f"{index / 7:.3f}",
            "stage": str(index % 3),
            "marks": ("", "a", "a;b", "b")[index % 4],
            "a,b": "xy"[index % 2],
        }
        for index in range(20)
    ]
    assert proposed_columns(rows, ["scan"]) == ["type", "crack:yesno", "degree:number", "stage", "marks:several"]
    assert proposed_columns([], []) == []


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        ([f"{kind}-{degree}" for kind in ("mono", "poly") for degree in ("0", "0.33", "0.67", "1")], ("-", 2)),
        ([f"{a}_{b}_{c}" for a in "xy" for b in "pq" for c in "mn"], ("_", 3)),
        (["a-b", "c-d", "e-f"], None),
        (["t-shirt", "t-bar"], None),
        (["cat", "dog", "cow"], None),
        (["a-1", "a-2", "b-1", "b-2", "b"], None),
    ],
)
def test_names_of_parts(classes: list[str], found: tuple[str, int] | None) -> None:
    random.Random(0).shuffle(classes)
    assert proposed_separator(classes) == found


@pytest.mark.parametrize(
    ("paths", "levels"),
    [
        ([f"{a}/{b}/1.png" for a in ("mono", "poly") for b in "012"], 2),
        ([f"{a}/{b}/{a}{b}{c}/1.png" for a in "xy" for b in "01" for c in "pq"], 2),
        ([f"{a}/{b}/{c}/1.png" for a in "xy" for b in "01" for c in "pq"], 3),
        (["cat/p1/1.png", "dog/p2/1.png", "cat/p3/1.png"], 1),
        (["cat/1.png", "dog/x/1.png"], 1),
        (["1.png"], 0),
        ([], 0),
    ],
)
def test_levels_that_repeat(paths: list[str], levels: int) -> None:
    assert proposed_levels(paths) == levels


def test_a_table_without_classes_is_taken_by_its_other_columns(tmp_path: Path) -> None:
    for index in range(4):
        (tmp_path / f"{index}.png").touch()
    table = "file,type,crack\n0.png,a,yes\n1.png,b,no\n2.png,a,no\n3.png,b,no\n"
    (tmp_path / "labels.csv").write_text(table)
    with open_source(str(tmp_path)) as source:
        chosen, proposed = choose_or_propose(source, Preparation())
        assert proposed == "type,crack:yesno"
        assert chosen.labelling is not None
        assert chosen.labelling.classes == ("a-no crack", "a-crack", "b-no crack")
        (tmp_path / "labels.csv").write_text(table.replace("type", "class"))
        assert choose_or_propose(source, Preparation())[1] is None
        (tmp_path / "labels.csv").write_text(table + "4.png,,\n")
        with pytest.raises(OnlyAttributes):
            choose_or_propose(source, Preparation(use_labels=False, split="train"))
