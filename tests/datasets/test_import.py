import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd="/", check=False, timeout=300
    )


def test_refuses_to_be_the_top_level_datasets() -> None:
    done = _run(f"import sys; sys.path.insert(0, {str(ROOT)!r}); import datasets")
    assert done.returncode == 1
    assert "ImportError: this is stylegan_ada.datasets, not 'datasets'" in done.stderr


def test_import_is_light() -> None:
    heavy = ("PIL", "kornia", "click", "sklearn", "elpv_dataset", "albumentations")
    done = _run(f"import sys, stylegan_ada.datasets; print([m for m in {heavy} if m in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr
