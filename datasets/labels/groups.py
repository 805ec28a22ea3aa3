"""The group that each image of a set belongs to: a patient, a part."""

from collections.abc import Collection

from ...config.preparation import group_rule
from ...errors import UserError
from .files import GROUP
from .labelling import Labelling


class NoGroups(UserError):
    """Groups are asked for by a rule that does not fit the paths of all images."""


def find_groups(
    files: Collection[str], labelling: Labelling | None, rule: str | None
) -> tuple[dict[str, str] | None, str | None]:
    """File -> group, and a line on that. By `rule` (`Preparation.groups`); without one by the column `group` of
    labels.csv, None where there is none. NoGroups for files that the rule does not fit."""
    column = labelling.groups if labelling else None
    if rule is None:
        return column, None
    group_of = group_rule(rule)
    found = {file: group_of(file) for file in files}
    groups = {file: group for file, group in found.items() if group is not None}
    without = [file for file in files if file not in groups]
    if without:
        what = "lie in no folder of that level" if rule.startswith("folder") else "have a path without a match"
        raise NoGroups(
            f"`groups` {rule}: {len(without)} of {len(found)} images {what} (first: {without[0]!r:.300}): move or "
            "rename them, or give another rule"
        )
    example = min(groups.values(), default="")
    line = f"`groups` {rule}: {len(set(groups.values()))} groups (such as {example!r:.100})"
    return groups, line if column is None else f"{line}, the column `{GROUP}` of labels.csv is not used"
