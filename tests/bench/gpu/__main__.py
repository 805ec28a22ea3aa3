"""Everything that a first call on a GPU should say, in minutes; what is most wanted comes first.

    python -m tests.bench.gpu --out DIR [--minutes 7] [--parts step,generation] [--device cuda|cpu]

Each part is a process of its own. DIR/results.jsonl gets a line for each figure as soon as it is known, and
DIR/PART.log what the part printed. A table comes last and names what failed, was cut or did not fit. Ends with 1
if anything is missing for such a reason. On a CPU all parts run at tiny sizes, to try the kit itself: what needs CUDA
is named as left out, and no figure means anything.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from .cases import CASES
from .rows import FILE, Rows, read_rows
from .runner import Part, run_together
from .table import table

GROUPS: tuple[dict[str, float], ...] = (  # seconds; the parts of a group run beside each other
    {"info": 60},
    {"tests": 100, "check": 90},
    *({f"step-{name}": 90.0 if name == "headline" else 60.0} for name in CASES),
    {"generation": 40},
    {"graph": 40},
    {"operators": 60},
    {"host": 30},
)
NOT_BY_DEFAULT: dict[str, float] = {"compiled": 120}
ALL = (*GROUPS, NOT_BY_DEFAULT)


def chosen(parts: str) -> list[dict[str, float]]:
    """The groups, of the named parts only; a name stands for all parts that begin with it. ValueError for another."""
    names = tuple(parts.split(","))
    for name in names:
        if not name or not any(part.startswith(name) for group in ALL for part in group):
            raise ValueError(f"{name!r}: no such part")
    groups = [{name: limit for name, limit in group.items() if name.startswith(names)} for group in ALL]
    return [group for group in groups if group]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=7, help="for all parts together")
    parser.add_argument("--parts", help=f"some of {', '.join(name for group in ALL for name in group)}")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options = parser.parse_args()
    until = time.monotonic() + options.minutes * 60
    try:
        groups = chosen(options.parts) if options.parts is not None else GROUPS
    except ValueError as error:
        parser.error(f"--parts {error}")
    if (options.out / FILE).exists():
        parser.error(f"--out {options.out}: there are results already, take a new folder")
    options.out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an outer time limit leaves no part behind
    with tempfile.TemporaryDirectory() as cache:
        os.environ.setdefault("STYLEGAN_ADA_CACHE", cache)  # kernels are compiled anew, once for all parts
        for group in groups:
            parts = [
                Part(
                    name, [sys.executable, "-m", "tests.bench.gpu.part", name, str(options.out), options.device], limit
                )
                for name, limit in group.items()
            ]
            for ended in run_together(parts, options.out, until):
                Rows(options.out, ended.part).add("end", how=ended.how, seconds=round(ended.seconds, 1))
                print(f"{ended.part}: {ended.how}, {ended.seconds:.0f} s", file=sys.stderr, flush=True)
    rows = read_rows(options.out)
    print(table(rows))
    sys.exit(any(row.get("how", "done") != "done" for row in rows))


if __name__ == "__main__":
    main()
