"""Who may import what: the layers of the package, and what must stay out of a plain import."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

FORBIDDEN = {  # beyond the layers: packages of one layer that do not know each other
    ("networks", "augment"),
    ("networks", "datasets"),
    ("augment", "networks"),
    ("augment", "datasets"),
    ("datasets", "networks"),
    ("datasets", "augment"),
    ("ops", "config"),
    ("ops", "distributed"),
    ("training", "leaks"),
    ("training", "projection"),
    ("training", "synthetic"),
    ("training", "utility"),
}
WITHOUT_TORCH = ("stylegan_ada.metrics.table", "stylegan_ada.metrics.words")  # `--help` names the metrics


@pytest.fixture(scope="module")
def layers(root: Path) -> Any:
    """Each module's or package's layer, by the table in docs/architecture.md."""
    rows = re.findall(r"^\| (\d) \| (.*?) \|", (root / "docs" / "architecture.md").read_text(), re.MULTILINE)
    return {
        name.removesuffix(".py").rstrip("/"): int(layer) for layer, cell in rows for name in re.findall("`(.*?)`", cell)
    }


def modules(root: Path) -> Iterator[Any]:
    for top in ("stylegan_ada", "augment", "datasets"):
        for path in (root / top).rglob("*.py"):
            parts = list(path.relative_to(root).with_suffix("").parts)
            yield path, parts if top == "stylegan_ada" else ["stylegan_ada", *parts]


def imported(path: Path, parts: list[str]) -> Iterator[Any]:
    """What a file imports of our package, anywhere in it and for types, too, as [stylegan_ada, package, ..., name]."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level] if node.level else []
            base = [*base, *(node.module.split(".") if node.module else [])]
            targets = [[*base, alias.name] for alias in node.names]
        elif isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        else:
            continue
        yield from (target for target in targets if target[0] == "stylegan_ada" and len(target) > 1)


def test_no_module_imports_from_a_higher_layer(root: Path, layers: Any) -> None:
    checked = 0
    for path, parts in modules(root):
        if parts[1:] == ["__init__"]:
            continue  # the front door
        package = parts[1]
        for _, target, *_ in imported(path, parts):
            assert layers[target] <= layers[package], f"{path} imports {target}"
            assert (package, target) not in FORBIDDEN, f"{path} imports {target}"
            checked += 1
    assert checked > 50


def makes_commands(path: Path) -> bool:
    """Whether a module has functions that click makes commands of."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    decorators = [ast.unparse(decorator.func) for function in functions for decorator in function.decorator_list
                  if isinstance(decorator, ast.Call)]  # fmt: skip
    return any(name.split(".")[-1] in ("command", "group") for name in decorators)


def siblings(path: Path) -> Iterator[Any]:
    """The modules of its own folder that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.level == 1 or node.module == "stylegan_ada.cli"):
            names = [alias.name for alias in node.names]
            yield from names if node.level == 0 or node.module is None else [node.module.split(".")[0]]
        elif isinstance(node, ast.ImportFrom) and node.level == 2 and (node.module or "").startswith("cli."):
            yield node.module.split(".")[1]


def test_no_command_imports_another(root: Path) -> None:
    """What two commands share lies in the library or in a module of `cli` that has no commands."""
    cli = root / "stylegan_ada" / "cli"
    commands = {path.stem for path in cli.glob("*.py") if makes_commands(path)} - {"__init__"}
    assert {"train", "report", "generate", "generate_dataset", "augment_check"} <= commands
    assert not {"common", "lazy", "latent_files", "messages", "runs"} & commands
    found = {(name, other) for name in commands for other in siblings(cli / f"{name}.py") if other in commands}
    assert not found


def test_no_files_import_each_other_in_a_circle(root: Path) -> None:
    files = {tuple(part for part in parts if part != "__init__"): (path, parts) for path, parts in modules(root)}

    def file_of(target: list[str]) -> tuple[Any, ...]:
        """`target` may be a file, or a name in one."""
        return next(tuple(target[:end]) for end in range(len(target), 0, -1) if tuple(target[:end]) in files)

    graph = {name: {file_of(target) for target in imported(path, parts)} for name, (path, parts) in files.items()}
    assert sum(map(len, graph.values())) > 400
    TopologicalSorter(graph).prepare()  # CycleError names a circle


def test_only_the_command_line_knows_click_and_exits(root: Path) -> None:
    for path, parts in modules(root):
        text = path.read_text()
        if parts[1] != "cli":
            assert "import click" not in text, path
            assert "sys.exit" not in text, path


@pytest.mark.parametrize("module", ["stylegan_ada", "stylegan_ada.training", "stylegan_ada.sampling", *WITHOUT_TORCH])
def test_heavy_packages_stay_out(module: str) -> None:
    heavy = {"albumentations", "kornia", "tensorboard", "click", "matplotlib", "elpv_dataset", "sklearn", "pydicom"}
    heavy |= {"cv2", "efficientnet_lite_pytorch", "onnx", "onnxruntime", "onnxscript", "scipy", "tifffile", "yaml"}
    loaded = subprocess.run(
        [sys.executable, "-c", f"import {module}, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout.split()
    assert not heavy & set(loaded)
    if module in ("stylegan_ada", *WITHOUT_TORCH):
        assert "torch" not in loaded
