"""Once the images are packed, training imports neither the sample's package nor those of other commands."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

BLOCKED = ("albumentations", "kornia", "elpv_dataset", "sklearn")


def test_packed_sample_trains_without_its_package(
    command: Callable[..., Any], environment: dict[str, str], small: list[str], tmp_path: Path
) -> None:
    arguments = ["train", "--data", "sample:digits", "--kimg", "0.008", *small]
    first = command(*arguments, "--out", tmp_path / "first")
    assert first.code == 0, first
    second = list(map(str, [*arguments, "--out", tmp_path / "second"]))
    third = ["train", "--data", "sample:digits", "--size", "28", "--out", str(tmp_path / "third"), "--kimg", "0.008"]
    code = f"import sys\nfor name in {BLOCKED}: sys.modules[name] = None\n"
    code += f"from stylegan_ada.cli import main\nmain({second})\nmain({third})"
    failed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert "finished" in failed.stdout, failed.stderr
    assert failed.returncode != 0  # not packed in that size: so the block does block
    assert "sklearn" in failed.stderr
