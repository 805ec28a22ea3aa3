"""The names of the configuration's fields before version 0.2.0, so that the config.json of old runs is read."""

from typing import Any

OLD_NAMES = {
    "DataConfig": {"source": "data", "labels": "no_labels"},
    "AugmentConfig": {
        "groups": "augment",
        "extra": "augment_extra",
        "signal": "ada_signal",
        "target": "ada_target",
        "kimg": "ada_kimg",
        "maximum": "ada_max",
        "p": "ada_p",
    },
    "TrainingConfig": {"r1_gamma": "gamma"},
}


def with_new_names(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a dataclass from JSON, by the names that its fields have now."""
    old_names = OLD_NAMES.get(kind.__name__, {})
    new = {old_names.get(name, name): value for name, value in values.items()}
    if old_names.get("labels") and isinstance(values.get("labels"), bool):
        new["no_labels"] = not values["labels"]  # the opposite
    return new
