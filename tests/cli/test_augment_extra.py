import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stylegan_ada.training import RunFolder

YAML = """\
- name: RandomGaussianBlur
  kernel_size: [3, 3]
  sigma: [0.1, 2.0]
- RandomSharpness
"""


def test_a_run_keeps_them(
    command: Callable[..., Any], fails: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    """In its configuration: the file may go."""
    path = tmp_path / "extra.yaml"
    path.write_text(YAML)
    arguments = ["train", "--data", image_folder, "--out", tmp_path / "run", *small, "--augment-extra", path]
    assert command(*arguments, "--augment", "none", "--kimg", "0.016").code == 0
    config = json.loads(RunFolder(tmp_path / "run").config_file.read_text())["augment"]
    assert [extra["name"] for extra in config["augment_extra"]] == ["RandomGaussianBlur", "RandomSharpness"]
    log = RunFolder(tmp_path / "run").read_log()
    assert log
    Path(path).unlink()
    assert command(*arguments, "--augment", "none", "--kimg", "0.024").code == 0
    line = fails(*arguments[:4], tmp_path / "new", *arguments[5:])
    assert f"error: --augment-extra {path}: cannot be read (No such file or directory)" in line
