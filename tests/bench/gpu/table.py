"""The rows of results.jsonl as a short table."""

from collections.abc import Sequence
from typing import Any


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Each part with how it ended, below it its figures; then what is missing."""
    lines, missing = [], []
    for end in rows:
        if "how" not in end:
            continue
        name = end["part"]
        lines.append(f"{name}: {end['how']}, {end['seconds']:.0f} s")
        if end["how"] != "done":
            missing.append(f"{name}: {end['how']}" + (f", see {name}.log" if end["seconds"] else ""))
        for row in rows:
            if row["part"] != name:
                continue
            if "value" in row:
                lines.append(f"    {row['what']:<44} {shown(row['value'])} {row['unit']}".rstrip())
            for word in ("failed", "left_out"):
                if word in row:
                    missing.append(f"{name}, {row['what']}: {word.replace('_', ' ')}, {row[word]}")
    return "\n".join([*lines, "", *(["Missing:", *missing] if missing else ["Nothing is missing."])])


def shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
