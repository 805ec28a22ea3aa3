"""Who may import what: the floors of the house, and what must stay out of a plain import."""

import ast
import subprocess
import sys

import pytest

# DESIGN.md, section 1: a module imports its own floor or lower ones
FLOORS = {
    "_version": 0,
    "config": 0,
    "distributed": 0,
    "errors": 0,
    "files": 0,
    "folders": 0,
    "ops": 0,
    "options": 0,
    "presets": 0,
    "random": 0,
    "resolve": 0,
    "settings": 0,
    "augment": 1,
    "datasets": 1,
    "losses": 1,
    "networks": 1,
    "checkpoint": 2,
    "sampling": 2,
    "export": 3,
    "grids": 3,
    "metrics": 3,
    "projection": 3,
    "report": 3,
    "synthetic": 3,
    "training": 4,
    "cli": 5,
    "__main__": 6,
}
FORBIDDEN = {  # beyond the floors: rooms of one floor that do not know each other
    ("networks", "losses"),
    ("networks", "augment"),
    ("networks", "datasets"),
    ("losses", "networks"),
    ("augment", "networks"),
    ("augment", "losses"),
    ("augment", "datasets"),
    ("datasets", "networks"),
    ("datasets", "augment"),
    ("ops", "config"),
    ("ops", "distributed"),
}


def modules(root):
    for top in ("stylegan_ada", "augment", "datasets"):
        for path in (root / top).rglob("*.py"):
            parts = list(path.relative_to(root).with_suffix("").parts)
            yield path, parts if top == "stylegan_ada" else ["stylegan_ada", *parts]


def imported(path, parts):
    """The rooms of our package that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = parts[: len(parts) - node.level] + (node.module.split(".") if node.module else [])
            targets = [base] if len(base) > 1 else [[*base, alias.name] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            targets = [(node.module or "").split(".")]
        elif isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        else:
            continue
        yield from (target[1] for target in targets if target[0] == "stylegan_ada" and len(target) > 1)


def test_no_module_imports_from_a_higher_floor(root):
    checked = 0
    for path, parts in modules(root):
        if parts[1:] == ["__init__"]:
            continue  # the front door
        room = parts[1]
        for target in imported(path, parts):
            assert FLOORS[target] <= FLOORS[room], f"{path} imports {target}"
            assert (room, target) not in FORBIDDEN, f"{path} imports {target}"
            checked += 1
    assert checked > 50


def test_only_the_command_line_knows_click_and_exits(root):
    for path, parts in modules(root):
        text = path.read_text()
        if parts[1] != "cli":
            assert "import click" not in text, path
            assert "sys.exit" not in text, path


@pytest.mark.parametrize("module", ["stylegan_ada", "stylegan_ada.training", "stylegan_ada.sampling"])
def test_heavy_packages_stay_out(module):
    heavy = {"albumentations", "kornia", "tensorboard", "click", "matplotlib", "elpv_dataset", "sklearn"}
    loaded = subprocess.run(
        [sys.executable, "-c", f"import {module}, sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not heavy & set(loaded)
    if module == "stylegan_ada":
        assert "torch" not in loaded
