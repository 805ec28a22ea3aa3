"""Summaries of many projected images: a table, a picture, a text."""

import csv
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from ..files import atomic_path, write_text
from ..labels.label_space import LabelSpace
from ..pictures.grids import image_grid
from .coverage import Coverage
from .folder import Record, ResultFolder
from .latents import class_name

COLUMNS = ("file", "label", "perceptual", "psnr", "ssim", "covered")
MOST_ROWS = 32  # of the sheet
WORST = 3  # images named of a class


def write_table(path: Path, records: Mapping[str, Record], coverage: Coverage | None) -> None:
    """projections.csv: a line per image, in the order of `records`; covered is yes, no, or empty if not known."""
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for one in records.values():
            values = [f"{value:.6g}" for value in (one.perceptual, one.psnr, one.ssim)]
            table.writerow([one.file, one.label, *values, _covered(one, coverage)])


def write_projection_sheet(folder: ResultFolder, records: Mapping[str, Record], coverage: Coverage | None) -> None:
    """sheet.png: a row per image, those with the largest distance first, at most 32."""
    worst = _worst_first(records)[:MOST_ROWS]
    rows, names = [], []
    for name in worst:
        with Image.open(folder.path / f"{name}.png") as picture:
            rows.append(np.asarray(picture.convert("RGB"))[None])
        missed = ", not covered" if _covered(records[name], coverage) == "no" else ""
        names.append(f"{name}  {records[name].perceptual:.3g}{missed}")
    sheet = image_grid(rows, names)
    with atomic_path(folder.path / "sheet.png") as temporary:
        sheet.save(temporary)


def summarise(records: Mapping[str, Record], coverage: Coverage | None, space: LabelSpace) -> str:
    """A line per class: images, median distance, images that are not covered, and the three that are worst."""
    class_of = {label: class_name(space, label) for label in {one.label for one in records.values()}}
    labels = sorted({*class_of.values()})
    width = max(len("class"), *(len(label) for label in labels))
    lines = [f"{'class':{width}}  images  median distance  not covered  worst reconstructed"]
    for label in labels:
        own = {name: one for name, one in records.items() if class_of[one.label] == label}
        missed = sum(_covered(one, coverage) == "no" for one in own.values())
        worst = ", ".join(f"{name} ({own[name].perceptual:.3g})" for name in _worst_first(own)[:WORST])
        middle = median(one.perceptual for one in own.values())
        count = str(missed) if coverage is not None else "-"
        lines.append(f"{label or '-':{width}}  {len(own):6}  {middle:15.4g}  {count:>11}  {worst}")
    if coverage is not None:
        lines.append(
            f"not covered: a distance{_tuned(records)} above {coverage.limit:.4g}, "
            f"the largest of {len(coverage.distances)} {coverage.kind} of the run"
        )
    return "\n".join(lines)


def write_all(folder: ResultFolder, records: Mapping[str, Record], coverage: Coverage | None, space: LabelSpace) -> str:
    """projections.csv, sheet.png and summary.txt. space: the generator's labels. Returns the summary."""
    write_table(folder.path / "projections.csv", records, coverage)
    write_projection_sheet(folder, records, coverage)
    text = summarise(records, coverage, space)
    write_text(folder.path / "summary.txt", text + "\n")
    return text


def _worst_first(records: Mapping[str, Record]) -> list[str]:
    return sorted(records, key=lambda name: -records[name].perceptual)


def _covered(record: Record, coverage: Coverage | None) -> str:
    if coverage is None:
        return ""
    return "yes" if coverage.covers(record.untuned) else "no"


def _tuned(records: Mapping[str, Record]) -> str:
    return " before tuning" if any(one.untuned != one.perceptual for one in records.values()) else ""
