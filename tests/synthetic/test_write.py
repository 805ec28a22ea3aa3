import csv
from pathlib import Path

from stylegan_ada.labels.attribute import Attribute
from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.synthetic.write import SyntheticImage, attribute_values, class_folders, write_manifest

NAMES = ("label", "density", "age", "defects")
SPACE = LabelSpace(
    ("x-y",),
    (1,),
    (
        Attribute(name="label", kind="category", values=("x",)),
        Attribute(name="density", kind="category", values=("y",)),
        Attribute(name="age", kind="number", unknown=True),
        Attribute(name="defects", kind="several", values=("dent", "hole")),
    ),
    ("label=x,density=y,age=,defects=dent;hole",),
    (1,),
)


def test_attributes_do_not_hide_other_columns(tmp_path: Path) -> None:
    image = SyntheticImage(
        block_file=tmp_path,
        position=0,
        seed=7,
        label=0,
        name="x-y",
        row=("x", "y", None, ("dent", "hole")),
        truncation_psi=1.0,
        scores={"density": 0.5},
    )
    write_manifest(tmp_path / "manifest.csv", SPACE, [image], ["a.png"])
    with open(tmp_path / "manifest.csv", newline="") as file:
        head, row = csv.reader(file)
    assert head == ["file", "seed", "label", "psi", "label_", "density_", "age", "defects", "density"]
    assert row == ["a.png", "7", "x-y", "1.0", "x", "y", "", "dent;hole", "0.5"]


def test_values_as_json_has_them() -> None:
    found = attribute_values(SPACE, ("x", "y", 0.5, ("dent", "hole")))
    assert found == dict(zip(NAMES, ("x", "y", 0.5, ("dent", "hole")), strict=True))
    assert attribute_values(SPACE, ("x", "y", None, ("dent",)))["age"] is None
    crack = LabelSpace(
        ("crack",), (1,), (Attribute(name="crack", kind="yesno", values=("no", "yes")),), ("crack=yes",), (1,)
    )
    assert [attribute_values(crack, (one,))["crack"] for one in ("yes", "no", None)] == [True, False, None]


def test_folders_of_long_names_can_be_made(tmp_path: Path) -> None:
    long = ["-".join(f"no attribute{index}" for index in range(20)) + end for end in ("", "?")]
    names = class_folders([*long, "crack"])
    for name in names:
        (tmp_path / name).mkdir()
    assert len(set(names)) == 3
    assert names[2] == "crack"
