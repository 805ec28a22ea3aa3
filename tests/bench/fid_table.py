"""The table of docs/experiments/run-length.md from the rows of `tests.bench.fid_curve`.

python -m tests.bench.fid_table FILE...
"""

import argparse
import json
from pathlib import Path


def table(rows: list[dict]) -> str:
    """Markdown, a line per row."""
    lines = [
        "| thousand images | seed | FID | 1000 x KID | minutes of training | commit |",
        "|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['kimg']:.0f} | {row['seed']} | {row['fid']:.1f} | {row['kid'] * 1000:.1f} "
            f"| {row['seconds'] / 60:.1f} | {row['commit']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    print(table([json.loads(line) for path in parser.parse_args().files for line in path.read_text().splitlines()]))
