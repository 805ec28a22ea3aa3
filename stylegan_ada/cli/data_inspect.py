"""`stylegan-ada data inspect`: a look at a set before training on it."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config.preparation import Preparation
from ..errors import UserError, shown
from ..files import user_path
from .common import PATH, check_new_file, progress_bar
from .config_options import data_options
from .messages import flag, with_flags

if TYPE_CHECKING:
    from ..config.options import TrainOptions
    from ..datasets.inspect.inspection import Inspection

READING = (
    *("pages", "bands", "no_labels", "file_column", "label_column", "split", "groups", "attributes", "split_names"),
    *("masks", "mask_kinds", "ignore", "unmasked"),
)
MOST_PAIRS = 20  # printed
MOST_SIZES = 20
MOST_EMPTY = 12


@click.command()
@click.argument("source")
@data_options(*READING)
@click.option("--sheet", type=PATH, help="A new file, .png, for examples of each class.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def inspect(source: str, sheet: Path | None, as_json: bool, **reading: Any) -> None:
    """Report what a set holds, what is wrong, how to train on it.

    SOURCE is a folder, a .zip, a .tar or sample:NAME.
    """
    from ..config.options import TrainOptions
    from ..config.resolve import data_of
    from ..datasets.inspect.advice import advise
    from ..datasets.inspect.inspection import inspect_source
    from ..devices import choose_device, machine_of

    if sheet is not None:
        if sheet.suffix.lower() != ".png":
            raise UserError(f"--sheet {sheet}: give a file that ends in .png")
        check_new_file(sheet, "sheet")
    options = TrainOptions(data=source, **reading)
    preparation = data_of(options).preparation
    with progress_bar("reading images") as progress:
        found = inspect_source(source, preparation, progress=progress)
    if found.proposed is not None:
        options = replace(options, attributes=found.proposed)
        preparation = data_of(options).preparation
    advice = advise(found, machine_of(choose_device("auto")), options)
    found = replace(found, warnings=[*map(with_flags, found.warnings)], notes=[*map(with_flags, found.notes)])
    reasons = [with_flags(reason) for reason in advice.reasons] if advice else []
    command = _command_line(advice.options) if advice else None
    if sheet is not None and found.images:
        _write_sheet(sheet, found, preparation)
    if as_json:
        click.echo(json.dumps(asdict(found) | {"reasons": reasons, "command": command}, indent=2))
    else:
        click.echo("\n".join(map(shown, [*_report(found), *_proposal(reasons, command)])))


def _write_sheet(sheet: Path, found: "Inspection", preparation: Preparation) -> None:
    from ..datasets import sample_licence
    from ..datasets.inspect.example_sheet import example_sheet
    from ..files import atomic_path

    unreadable = {file.file for file in found.unreadable}
    with atomic_path(sheet) as temporary:
        example_sheet(found.source, preparation, leave_out=unreadable).save(temporary)
    licence = sample_licence(found.source)
    if licence:
        click.echo(licence, err=True)


def _command_line(options: "TrainOptions") -> str:
    """The command to train with these options in a new folder below `runs`."""
    words = ["stylegan-ada", "train"]
    for field in fields(options):
        value = getattr(options, field.name)
        if value != field.default:
            words += [flag(field.name)] if value is True else [flag(field.name), str(value)]
    return shlex.join([*words, "--out", str(_new_run(options.data))])


def _new_run(source: str) -> Path:
    """runs/NAME, or runs/NAME-2 and so on where there is one; not among the images, which `train` refuses."""
    path = user_path(source).resolve()
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
    groups = f", {found.groups} groups" if found.groups else ""
    yield f"{found.source}: {found.images} images, {_labelled(found)}{groups}"
    for label, count in (found.classes or {}).items():
        yield f"  {label}: {count}"
    yield from _on_attributes(found)
    yield from _on_masks(found)
    more = f" and {len(found.sizes) - MOST_SIZES} others" if len(found.sizes) > MOST_SIZES else ""
    sizes = ", ".join(f"{size.height}x{size.width} ({size.count})" for size in found.sizes[:MOST_SIZES])
    yield f"sizes (height x width): {sizes}{more}"
    yield "modes: " + ", ".join(f"{mode} ({count})" for mode, count in found.modes.items())
    if found.gray_range:
        yield "gray levels: {} to {} (of 0 to 255)".format(*found.gray_range)
    if found.value_range:
        yield "values: {:.7g} to {:.7g} (in the files' own units, of images with more than 8 bits)".format(
            *found.value_range
        )
    yield f"unreadable: {len(found.unreadable) or 'none'}"
    for file in found.unreadable:
        yield f"  {file.file}: {with_flags(file.reason)}"
    yield f"exact duplicates: {len(found.duplicates) or 'none'}"
    for group in found.duplicates:
        yield "  " + " = ".join(group)
    yield f"near-duplicates: {len(found.near_duplicates) or 'none'}"
    for pair in found.near_duplicates[:MOST_PAIRS]:
        yield "  " + " ~ ".join(pair)
    if len(found.near_duplicates) > MOST_PAIRS:
        yield f"  and {len(found.near_duplicates) - MOST_PAIRS} more, all of which --json prints"
    for note in found.notes:
        yield f"note: {note}"
    for warning in found.warnings:
        yield f"warning: {warning}"


def _labelled(found: "Inspection") -> str:
    if found.attributes is not None:
        return f"{len(found.classes or ())} combinations of {len(found.attributes)} attributes"
    return "unlabelled" if found.classes is None else f"{len(found.classes)} classes"


def _on_attributes(found: "Inspection") -> Iterator[str]:
    empty = found.empty_combinations
    if empty:
        more = f" and {len(empty) - MOST_EMPTY} more" if len(empty) > MOST_EMPTY else ""
        yield f"combinations that no image has: {', '.join(empty[:MOST_EMPTY])}{more}"
    for one in found.attributes or ():
        values = ", ".join(f"{value} ({count})" for value, count in one.values.items())
        if one.mean is not None:
            values = f"{one.low:.7g} to {one.high:.7g}, mean {one.mean:.7g}"
        unknown = f", unknown ({one.unknown})" if one.unknown else ""
        yield f"attribute {one.name} ({one.kind}): {values}{unknown}"


def _on_masks(found: "Inspection") -> Iterator[str]:
    if found.masks is None:
        return
    for kind in found.masks.kinds:
        yield (
            f"masks of {kind.name}: {kind.images} images, {kind.area:.2%} of all pixels, {kind.of_marked:.2%} of "
            "those images'"
        )
    yield f"masks that mark nothing: {found.masks.empty or 'none'}"


def _proposal(reasons: list[str], command: str | None) -> Iterator[str]:
    if command is None:
        return
    yield "options, with reasons:"
    for reason in reasons:
        yield f"  {reason}"
    yield "to train:"
    yield f"  {command}"
