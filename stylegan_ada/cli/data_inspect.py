"""`stylegan-ada data inspect`: a look at a set before training on it."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UserError, shown
from ..preparation import check_split
from .common import check_new_file, progress_bar
from .config_options import flag, with_flags

if TYPE_CHECKING:
    from ..datasets.inspect import Inspection
    from ..options import TrainOptions

MOST_PAIRS = 20  # printed


@click.command()
@click.argument("source")
@click.option("--no-labels", is_flag=True, help="Ignore class folders and label files.")
@click.option("--split", help="Which of the folders train, val, test are taken, as in train; none: they are classes.")
@click.option("--sheet", type=click.Path(path_type=Path), help="A new file, .png, for examples of each class.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(source: str, no_labels: bool, split: str | None, sheet: Path | None, as_json: bool) -> None:
    """Report what SOURCE (a folder, a .zip or sample:NAME) holds, what is wrong with it, and how to train on it."""
    from ..datasets.advice import advise
    from ..datasets.inspect import inspect_source
    from ..devices import choose_device, machine_of

    check_split(split)
    if sheet is not None:
        if sheet.suffix.lower() != ".png":
            raise UserError(f"--sheet {sheet}: give a file that ends in .png")
        check_new_file(sheet, "--sheet")
    with progress_bar("reading images") as progress:
        found = inspect_source(source, use_labels=not no_labels, split=split, progress=progress)
    advice = advise(found, machine_of(choose_device("auto")), use_labels=not no_labels, split=split)
    found = replace(found, warnings=[with_flags(warning) for warning in found.warnings])
    reasons = [with_flags(reason) for reason in advice.reasons] if advice else []
    command = _command_line(advice.options) if advice else None
    if sheet is not None and found.images:
        _write_sheet(sheet, found, not no_labels, split)
    if as_json:
        click.echo(json.dumps(asdict(found) | {"reasons": reasons, "command": command}, indent=2))
    else:
        click.echo("\n".join(map(shown, [*_report(found), *_proposal(reasons, command)])))


def _write_sheet(sheet: Path, found: "Inspection", use_labels: bool, split: str | None) -> None:
    from ..datasets import sample_licence
    from ..datasets.example_sheet import example_sheet
    from ..files import atomic_path

    unreadable = {file.file for file in found.unreadable}
    with atomic_path(sheet) as temporary:
        example_sheet(found.source, use_labels=use_labels, split=split, leave_out=unreadable).save(temporary)
    licence = sample_licence(found.source)
    if licence:
        click.echo(licence, err=True)


def _command_line(options: "TrainOptions") -> str:
    """With a new folder below `runs` to train in."""
    words = ["stylegan-ada", "train"]
    for name, value in asdict(options).items():
        if value not in (None, False, "auto"):
            words += [flag(name)] if value is True else [flag(name), str(value)]
    return shlex.join([*words, "--out", str(_new_run(options.data))])


def _new_run(source: str) -> Path:
    """runs/NAME, or runs/NAME-2 and so on where there is one; not among the images, which `train` refuses."""
    path = Path(source).resolve()
    runs = Path("runs")
    if path.is_dir() and runs.resolve().is_relative_to(path):
        runs = path.parent / "runs"
    name = source.partition(":")[2] if source.startswith("sample:") else path.stem if path.is_file() else path.name
    run, number = runs / name, 1
    while run.exists():
        number += 1
        run = runs / f"{name}-{number}"
    return run


def _report(found: "Inspection") -> Iterator[str]:
    kind = "unlabelled" if found.classes is None else f"{len(found.classes)} classes"
    groups = f", {found.groups} groups" if found.groups else ""
    yield f"{found.source}: {found.images} images, {kind}{groups}"
    for label, count in (found.classes or {}).items():
        yield f"  {label}: {count}"
    yield "sizes (height x width): " + ", ".join(f"{s.height}x{s.width} ({s.count})" for s in found.sizes)
    yield "modes: " + ", ".join(f"{mode} ({count})" for mode, count in found.modes.items())
    if found.gray_range:
        yield "gray levels: {} to {} (of 0 to 255)".format(*found.gray_range)
    yield f"unreadable: {len(found.unreadable) or 'none'}"
    for file in found.unreadable:
        yield f"  {file.file}: {file.reason}"
    yield f"exact duplicates: {len(found.duplicates) or 'none'}"
    for group in found.duplicates:
        yield "  " + " = ".join(group)
    yield f"near-duplicates: {len(found.near_duplicates) or 'none'}"
    for pair in found.near_duplicates[:MOST_PAIRS]:
        yield "  " + " ~ ".join(pair)
    if len(found.near_duplicates) > MOST_PAIRS:
        yield f"  and {len(found.near_duplicates) - MOST_PAIRS} more, all of which --json prints"
    for warning in found.warnings:
        yield f"warning: {warning}"


def _proposal(reasons: list[str], command: str | None) -> Iterator[str]:
    if command is None:
        return
    yield "options, with reasons:"
    for reason in reasons:
        yield f"  {reason}"
    yield "to train:"
    yield f"  {command}"
