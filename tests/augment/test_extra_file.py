import json
from pathlib import Path

import pytest

from stylegan_ada import UserError
from stylegan_ada.augment.extra import read_extra

YAML = """\
- name: RandomGaussianBlur
  kernel_size: [3, 3]
  sigma: [0.1, 2.0]
- RandomSharpness
"""


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "extra.yaml"
    path.write_text(YAML)
    blur, sharpness = read_extra(path)
    assert (blur.name, sharpness.name) == ("RandomGaussianBlur", "RandomSharpness")
    assert json.loads(blur.arguments) == {"kernel_size": [3, 3], "sigma": [0.1, 2.0]}
    assert json.loads(sharpness.arguments) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("a: [", "not YAML"),
        ("", "must be a list"),
        ("name: RandomSharpness", "must be a list"),
        ("- kernel_size: 3", "entry 1 has no name"),
        ("- {name: RandomSharpness, p: 0.3}", "has a p of its own"),
        ("- {name: RandomSharpness, sharpness: 2001-01-01}", "RandomSharpness"),
        ("- !!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_bad_files(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "extra.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_extra(path)
