"""The user's own augmentations from a YAML file."""

import json
from pathlib import Path

from ..config import ExtraAugmentation
from ..errors import UserError


def read_extra(path: Path) -> tuple[ExtraAugmentation, ...]:
    """A list of kornia's augmentations, each with its `name` and, beside it, its arguments."""
    import yaml

    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"`augment_extra` {path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"`augment_extra` {path}: not YAML ({' '.join(str(error).split())})") from None
    if not isinstance(entries, list) or not entries:
        raise UserError(f"`augment_extra` {path}: must be a list, as: - name: RandomGaussianBlur")
    return tuple(_entry(path, number, entry) for number, entry in enumerate(entries, 1))


def _entry(path: Path, number: int, entry: object) -> ExtraAugmentation:
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise UserError(f"`augment_extra` {path}: entry {number} has no name, as: - name: RandomGaussianBlur")
    arguments = {str(key): value for key, value in entry.items() if key != "name"}
    if "p" in arguments:
        raise UserError(f"`augment_extra` {path}: {entry['name']} has a p of its own, leave it out: all share one p")
    try:
        return ExtraAugmentation(name=entry["name"], arguments=json.dumps(arguments))
    except TypeError as error:
        raise UserError(f"`augment_extra` {path}: {entry['name']}: {error}") from None
