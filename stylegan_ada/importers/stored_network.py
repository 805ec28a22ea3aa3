"""A network of a snapshot by the dotted names of its tensors, and what its modules were made with."""

import re
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..errors import UserError, shown
from .inert_objects import StoredObject

MOST_MODULES = 2000  # the largest networks have some 200
DEEPEST = 8
MOST_NAMES = 200  # in a module, of parameters, of attributes, ...
NAME = re.compile(r"[A-Za-z0-9_]{1,50}")  # without a dot, so that paths are unique


@dataclass(frozen=True, eq=False)
class StoredNetwork:
    """Tensors by dotted name ("synthesis.b4.conv1.weight"), and per module ("synthesis.b4.conv1", "" is the network)
    its plain attributes and the keyword arguments that it was made with."""

    tensors: dict[str, Tensor]
    attributes: dict[str, dict[str, Any]]
    arguments: dict[str, dict[str, Any]]

    def setting(self, module: str, name: str, default: Any) -> Any:
        """An attribute of a module, or where it has none the argument of that name."""
        found = self.attributes[module].get(name)
        return self.arguments[module].get(name, default) if found is None else found


def take_apart(network: Any, name: str) -> StoredNetwork:
    """Raises a UserError, which begins with `name`, where the snapshot holds no network under it."""
    stored = StoredNetwork({}, {}, {})
    _add(stored, network, name, "", 0)
    return stored


def _add(stored: StoredNetwork, module: Any, name: str, path: str, depth: int) -> None:
    if type(module) is not StoredObject or depth > DEEPEST or len(stored.attributes) > MOST_MODULES:
        raise UserError(f"{name}{'.' * bool(path)}{path}: not a network as StyleGAN2-ADA stores it")
    where = f"{name}.{path}" if path else name
    state = _named(module.state, where)
    stored.attributes[path] = {key: value for key, value in state.items() if not key.startswith("_")}
    stored.arguments[path] = _named(state.get("_init_kwargs"), where)
    prefix = path + "." if path else ""
    for kind in ("_parameters", "_buffers"):
        for key, tensor in _named(state.get(kind), where).items():
            if isinstance(tensor, Tensor):
                stored.tensors[f"{prefix}{key}"] = tensor
    for key, child in _named(state.get("_modules"), where).items():
        _add(stored, child, name, f"{prefix}{key}", depth + 1)


def _named(value: Any, where: str) -> dict[str, Any]:
    """A dictionary whose keys are names as Python has them; an empty one for anything else than a dictionary."""
    if type(value) is not dict:
        return {}
    if len(value) > MOST_NAMES:
        raise UserError(f"{where}: {len(value):,} names in a module, which no network has")
    for key in value:
        if type(key) is not str or not NAME.fullmatch(key):
            raise UserError(f"{where}: {shown(str(key)[:50])} is no name of a part of a network")
    return value
