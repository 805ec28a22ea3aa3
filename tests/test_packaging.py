import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest


def test_every_package_is_listed(root: Path) -> None:
    """A folder that is not listed works in an editable install and is missing from the wheel."""
    config = configparser.ConfigParser()
    config.read(root / "setup.cfg")
    found = [path.parent.relative_to(root).parts for path in (root / "stylegan_ada").rglob("__init__.py")]
    for top in ("augment", "datasets"):
        found += [("stylegan_ada", *path.parent.relative_to(root).parts) for path in (root / top).rglob("__init__.py")]
    assert sorted(".".join(parts) for parts in found) == sorted(config["options"]["packages"].split())


def required(root: Path, section: str, option: str) -> set[str]:
    """The packages of a list of requirements in setup.cfg."""
    config = configparser.ConfigParser()
    config.read(root / "setup.cfg")
    return {re.match(r"[\w-]+", line)[0].lower() for line in config[section][option].split("\n") if line}


def imported(root: Path) -> Iterator[Any]:
    """The top-level modules, neither ours nor Python's, that our files import anywhere in them."""
    for top in ("stylegan_ada", "augment", "datasets"):
        for path in (root / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.level == 0:
                    yield node.module.split(".")[0]
                elif isinstance(node, ast.Import):
                    yield from (alias.name.split(".")[0] for alias in node.names)


def test_what_is_imported_is_installed_with_us(root: Path) -> None:
    """All but what the extras are for."""
    optional = set()
    for extra in ("coco", "cuda", "dicom", "shards", "demo"):
        optional |= required(root, "options.extras_require", extra)
    assert optional == {"cuda-core", "pycocotools", "pydicom", "webdataset", "elpv-dataset"}
    modules = set(imported(root)) - sys.stdlib_module_names - {"stylegan_ada"}
    assert {"torch", "kornia", "onnxruntime", "sklearn", "cv2"} <= modules
    names = packages_distributions()
    allowed = required(root, "options", "install_requires") | optional | {"cuda-bindings"}
    missing = {module for module in modules if not {name.lower() for name in names.get(module, [module])} & allowed}
    assert not missing


def run(*command: Path | str, **options: Path | dict[str, str]) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=300, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def elsewhere(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A virtual environment in another folder, with our wheel, borrowed dependencies, and a foreign `datasets`."""
    folder = tmp_path_factory.mktemp("elsewhere")
    ignored = shutil.ignore_patterns(".*", "build", "runs", "*.egg-info", "__pycache__")
    shutil.copytree(root, folder / "source", ignore=ignored)
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, folder / "source"]
    run(sys.executable, "-m", "pip", *build)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")  # its own .pth files are not followed
    (site / "datasets").mkdir()
    (site / "datasets" / "__init__.py").write_text("name = 'foreign'\n")
    return folder


def test_wheel_and_a_foreign_datasets_package_live_together(
    elsewhere: Any, environment: dict[str, str], image_folder: Path
) -> None:
    python = elsewhere / "venv" / "bin" / "python"
    kernel = "nvrtc.Kernel('upfirdn2d', torch.float32, 128, ()).source"
    code = "import datasets, stylegan_ada, stylegan_ada.datasets as ours; print(datasets.name, ours.__file__)\n"
    code += f"import torch; from stylegan_ada.ops import nvrtc; print({kernel})"
    first, source = run(python, "-c", code, cwd=elsewhere, env=environment).split("\n", 1)
    name, path = first.split()
    assert name == "foreign"
    assert path.startswith(str(elsewhere / "venv"))
    assert (Path(path).parents[1] / "py.typed").exists()
    assert "upfirdn2d(" in source
    options = ["--size", "16", "--batch", "4", "--channel-base", "64", "--channel-max", "8", "--kimg", "0.008"]
    console = elsewhere / "venv" / "bin" / "stylegan-ada"
    out = run(
        console, "train", "--data", image_folder, "--out", elsewhere / "run", *options, cwd=elsewhere, env=environment
    )
    assert "finished" in out
    run(console, "generate", "images", elsewhere / "run", "--out", elsewhere / "images", "--count", 3, env=environment)
    assert (elsewhere / "images" / "manifest.csv").exists()


def test_scripts_find_the_installed_package_and_not_the_folder(
    root: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """`python train.py` puts the checkout on the path, where our datasets/ would be found as `datasets`."""
    for script in ("train.py", "generate.py"):
        assert "Usage" in run(sys.executable, root / script, "--help", cwd=tmp_path, env=environment)
        code = (
            f"import runpy, sys; sys.argv = [{str(root / script)!r}, '--help']\n"
            f"try:\n    runpy.run_path({str(root / script)!r}, run_name='__main__')\nexcept SystemExit: pass\n"
            "print('on path:', [entry for entry in sys.path if entry and __import__('os').path.realpath(entry) == "
            f"{os.path.realpath(root)!r}])"
        )
        assert "on path: []" in run(sys.executable, "-c", code, cwd=root, env={**environment, "PYTHONPATH": str(root)})


def test_readme_commands_are_lines_that_ci_can_read(root: Path) -> None:
    lines = (root / "README.md").read_text().splitlines()
    assert 'pip install -c constraints.txt -e ".[test]" && pytest' in lines
    assert 'pip install -c constraints.txt -e ".[demo]"' in lines
    demo = "python train.py --data sample:elpv --attributes type,degree --split-names - --preset demo --out runs/demo"
    assert demo in lines
