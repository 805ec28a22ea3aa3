"""Whether two folders hold the same results."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from .hook import TEMPORARY

MEASURED = ("measuring_seconds", "seconds")  # fields that a clock gives
SECONDS = re.compile(r">s</th></tr>.*?</table>", re.DOTALL)  # a table of a report whose last column they are
LEFT_OUT = re.compile(r"events\.out\.tfevents\..*|\.lock")  # TensorBoard's files: one for each start


def differences(expected: Path, found: Path) -> list[str]:
    """What is not as in `expected`, in words; [] if all is. MEASURED does not count."""
    names = [_names(folder) for folder in (expected, found)]
    lines = [f"{name} is missing" for name in sorted(names[0] - names[1])]
    lines += [f"{name} is left over" for name in sorted(names[1] - names[0])]
    for name in sorted(names[0] & names[1]):
        one, other = (_content(folder / name, folder) for folder in (expected, found))
        if not _same(one, other):
            lines.append(f"{name} differs")
    return lines


def unreadable(folder: Path) -> list[str]:
    """The files that are damaged, in words."""
    lines = []
    for name in sorted(_names(folder)):
        try:
            _content(folder / name, folder)
        except Exception as error:  # of whatever reads it
            lines.append(f"{name} is damaged: {error}")
    return lines


def temporaries(folder: Path) -> list[Path]:
    """Files under names that they were to have for a moment."""
    return [path for path in folder.rglob(".*") if path.is_file() and TEMPORARY.fullmatch(path.name)]


def _names(folder: Path) -> set[str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not LEFT_OUT.fullmatch(path.name))
    return {path.relative_to(folder).as_posix() for path in files}


def _content(path: Path, folder: Path) -> Any:
    match path.suffix:
        case ".pt":
            return torch.load(path, weights_only=True)
        case ".safetensors":
            with safe_open(path, framework="pt") as file:  # whose header has no order
                return load_file(path), file.metadata()
        case ".png":
            return np.asarray(Image.open(path))
        case ".npz":
            with np.load(path) as arrays:
                return {name: arrays[name] for name in arrays if name not in MEASURED}
        case ".jsonl":
            return [timeless(json.loads(line)) for line in path.read_text().splitlines()]
        case ".json":
            return timeless(json.loads(path.read_text()))
        case ".html":
            page = path.read_text().replace(str(folder), "")
            return SECONDS.sub(lambda table: re.sub(r"<td[^>]*>[^<]*</td></tr>", "", table[0]), page)
        case _:
            return path.read_bytes()


def timeless(value: Any) -> Any:
    """JSON's value without MEASURED."""
    if isinstance(value, dict):
        return {name: timeless(one) for name, one in value.items() if name not in MEASURED}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return one == other
