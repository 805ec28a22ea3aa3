"""Curves of docs from rows such as those of `tests.bench.fid_curve`, a line per command.

python -m tests.bench.fid_plot --rows docs/data/fid.jsonl --out docs/images/fid.png --values fid,kid
"""

import argparse
import json
import re
from pathlib import Path

from matplotlib.figure import Figure

ALONG = {"kimg": "thousand images seen", "minutes": "minutes of training", "images": "images in the set"}
HEIGHTS = {"r_t": (-0.2, 1.0), "p": (-0.05, 1.0)}  # of values that have bounds; the others begin at 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, required=True, help="rows of fid_curve")
    parser.add_argument("--out", type=Path, required=True, help="PNG")
    parser.add_argument("--values", default="fid,kid", help="a panel for each: fid,kid,r_t,p,inception_fid,recall")
    parser.add_argument("--along", default="kimg", choices=ALONG)
    parser.add_argument("--reference", type=Path, help="rows of somebody else's run, dashed")
    arguments = parser.parse_args()
    values, along = arguments.values.split(","), arguments.along
    figure = Figure(figsize=(3.6 * len(values), 3.6), layout="constrained")
    panels = figure.subplots(1, len(values), squeeze=False)[0]
    for rows, style in ((read(arguments.rows), "o-"), (read(arguments.reference), "k--")):
        commands = list(dict.fromkeys(row["command"] for row in rows))
        names = dict(zip(commands, differences(commands), strict=True))
        for axes, value in zip(panels, values, strict=True):
            for command in commands:
                chosen = [row for row in rows if row["command"] == command and value in row and along in row]
                places, heights = [row[along] for row in chosen], [row[value] for row in chosen]
                axes.plot(places, heights, style, label=names[command], markersize=3, linewidth=1.2)
    for axes, value in zip(panels, values, strict=True):
        axes.set(title=value, xlabel=ALONG[along], ylim=HEIGHTS.get(value, (0, None)))
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize=8)
    figure.savefig(arguments.out, dpi=100)


def read(path: Path | None) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path else []


def differences(commands: list[str]) -> list[str]:
    """Of each command the options that not all of them have."""
    parts = [re.split(r" (?=--)", command) for command in commands]
    common = set.intersection(*map(set, parts)) if len(parts) > 1 else set()
    return [" ".join(part for part in each if part not in common) for each in parts]


if __name__ == "__main__":
    main()
