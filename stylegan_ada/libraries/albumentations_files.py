"""Pipelines of albumentations in the files that it saves itself. Only this module imports albumentations."""

import os
import warnings
from pathlib import Path
from typing import Any

from ..errors import UserError, first_line, nearest
from ..files import atomic_path

SHAPE_OF_FILE = "transform: {__class_fullname__: Compose, p: 1.0, transforms: [...]}"


def import_albumentations() -> Any:
    """The module. It does not ask the network for a newer version of itself."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations

    return albumentations


def read_pipeline(path: Path) -> Any:
    """The pipeline (an albumentations.Compose) of a .yaml or .json file that `albumentations.save` could have written.

    No code of the file's is run: names in it stand for albumentations' own transforms and for nothing else. Each
    transform must say its `p`, since albumentations would apply it to every second image otherwise. UserError, naming
    the file and the transform, for a file that cannot be read, an unknown transform, and parameters that are refused.
    """
    albumentations = import_albumentations()
    content = _read(path)
    entry = content.get("transform") if isinstance(content, dict) else None
    try:
        pipeline = _build(entry, albumentations)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except RecursionError:
        raise UserError(f"{path}: transforms lie in one another without end: list them one after another") from None
    if isinstance(pipeline, albumentations.Compose):
        return pipeline
    return albumentations.Compose([pipeline])


def write_pipeline(pipeline: Any, path: Path) -> None:
    """Writes an albumentations.Compose as YAML, for `read_pipeline` and for `albumentations.load`."""
    with atomic_path(path) as temporary:
        import_albumentations().save(pipeline, temporary, data_format="yaml")


def _read(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML, too
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is not YAML ({' '.join(str(error).split())})") from None
    except RecursionError:
        raise UserError(f"{path}: lists lie in one another too deeply: make the file flat") from None


def _build(entry: Any, albumentations: Any) -> Any:
    """The transform that an entry of the file describes; those within it are tried first, to name the one at fault."""
    if not isinstance(entry, dict) or not isinstance(entry.get("__class_fullname__"), str):
        raise UserError(f"is no pipeline of albumentations, which looks like this: {SHAPE_OF_FILE}")
    full_name = entry["__class_fullname__"]
    name = full_name.rpartition(".")[2] if full_name.startswith("albumentations.") else full_name
    names = _names(albumentations)
    if name not in names:
        raise UserError(f"albumentations has no transform {full_name!r}, {nearest(name, names)}")
    if "p" not in entry and name not in ("Compose", "Sequential"):
        raise UserError(f"{name} has no p: add p: 1.0 for every image, or the probability")
    within = entry.get("transforms", [])
    if not isinstance(within, list):
        raise UserError(f"{name}: transforms must be a list")
    for inner in within:
        _build(inner, albumentations)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Argument")  # it would leave unknown parameters out
            return albumentations.from_dict({"transform": entry})
    except Exception as error:  # pydantic's, and what each transform raises by itself
        raise UserError(f"{name}: {_reason(error)}") from None


def _names(albumentations: Any) -> set[str]:
    """Transforms, and compositions of them, that can be read from a file."""
    kinds = (albumentations.BasicTransform, albumentations.BaseCompose)
    return {
        name
        for name, kind in vars(albumentations).items()
        if isinstance(kind, type) and issubclass(kind, kinds) and kind not in (*kinds, albumentations.Lambda)
    }


def _reason(error: Exception) -> str:
    """The fault in parameters, in one line: pydantic writes a headline, then the parameter, then the reason."""
    lines = str(error).splitlines()
    if "validation error" in first_line(error) and len(lines) > 2:
        return f"{lines[1].partition('.')[0]}: {lines[2].strip().partition(' [type=')[0]}"
    return first_line(error)
