"""A network of a snapshot by the dotted names of its tensors, and what its modules were made with."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..errors import UserError, shown
from .inert_objects import StoredObject

MOST_MODULES = 2000  # the largest networks have some 200
DEEPEST = 8


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
    """UserError, which begins with `name`, where the snapshot holds no network under it."""
    stored = StoredNetwork({}, {}, {})
    _add(stored, network, name, "", 0)
    return stored


def _add(stored: StoredNetwork, module: Any, name: str, path: str, depth: int) -> None:
    if type(module) is not StoredObject or depth > DEEPEST or len(stored.attributes) > MOST_MODULES:
        raise UserError(f"{name}{'.' * bool(path)}{shown(path[:100])}: not a network as StyleGAN2-ADA stores it")
    stored.attributes[path] = {str(key): value for key, value in module.state.items() if not str(key).startswith("_")}
    stored.arguments[path] = _dictionary(module, "_init_kwargs")
    prefix = path + "." if path else ""
    for kind in ("_parameters", "_buffers"):
        for key, tensor in _dictionary(module, kind).items():
            if isinstance(tensor, Tensor):
                stored.tensors[f"{prefix}{key}"] = tensor
    for key, child in _dictionary(module, "_modules").items():
        _add(stored, child, name, f"{prefix}{key}", depth + 1)


def _dictionary(module: StoredObject, key: str) -> dict[str, Any]:
    value = module.state.get(key)
    return {str(name): item for name, item in value.items()} if type(value) is dict else {}
