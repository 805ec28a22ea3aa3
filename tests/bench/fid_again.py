"""FID and KID on another extractor, of the generators that `tests.bench.fid_curve` kept: fills in the rows of a run.

    python -m tests.bench.fid_again --rows docs/data/fid.jsonl --run runs/fid --seed 0 --features inception

Started again, it goes on with the rows that lack the results.
"""

import argparse
import json
from pathlib import Path

from stylegan_ada.files import write_text

from .fid_curve import program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, required=True, help="rows of fid_curve; results are added to them")
    parser.add_argument("--run", type=Path, required=True, help="the run's folder")
    parser.add_argument("--seed", type=int, required=True, help="the run's rows are those of this seed")
    parser.add_argument("--data", default="sample:elpv", help="the real images")
    parser.add_argument("--features", default="inception")
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in arguments.rows.read_text().splitlines()]
    for row in rows:
        if row["seed"] != arguments.seed or f"{arguments.features}_fid" in row:
            continue
        generator = arguments.run / f"generator-{row['kimg']:g}.safetensors"
        what = ("--data", arguments.data, "--features", arguments.features, "--metrics", "fid,kid", "--json")
        results = json.loads(program("evaluate", str(generator), *what, capture=True))
        row[f"{arguments.features}_fid"] = round(results["fid"]["value"], 2)
        row[f"{arguments.features}_kid"] = round(results["kid"]["value"], 5)
        write_text(arguments.rows, "".join(json.dumps(each) + "\n" for each in rows))


if __name__ == "__main__":
    main()
