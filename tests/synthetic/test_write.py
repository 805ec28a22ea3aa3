import csv
from pathlib import Path

from stylegan_ada.labels.attribute import Attribute
from stylegan_ada.labels.label_space import LabelSpace
from stylegan_ada.synthetic.write import SyntheticImage, attribute_values, write_manifest

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
    assert attribute_values(SPACE, ("x", "y", 0.5, ("dent", "hole"))) == dict(
        zip(NAMES, ("x", "y", 0.5, "dent;hole"), strict=True)
    )
    assert attribute_values(SPACE, ("x", "y", None, ("dent",)))["age"] == ""
