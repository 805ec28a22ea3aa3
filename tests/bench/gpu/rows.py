"""Figures of a part, each written as soon as it is known, so that what ends the part later costs none of them."""

import json
from pathlib import Path
from typing import Any

FILE = "results.jsonl"


class Rows:
    """Appends a part's rows to results.jsonl in the folder `out`.

    A row has `what` and either `value` with `unit`, or `failed`, or `left_out` with the reason. Rows without any of
    these are details that the table does not show.
    """

    def __init__(self, out: Path, part: str) -> None:
        self.path = out / FILE
        self.part = part
        self.failed = False

    def add(self, what: str, **more: Any) -> None:
        self.failed |= "failed" in more
        line = json.dumps({"part": self.part, "what": what, **more})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")  # one write: parts that run at the same time do not mix

    def value(self, what: str, value: float | str, unit: str = "", **more: Any) -> None:
        self.add(what, value=value, unit=unit, **more)


def read_rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / FILE).read_text(encoding="utf-8").splitlines()]
