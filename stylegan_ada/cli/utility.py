"""`stylegan-ada utility`"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config.settings import Range
from ..devices import choose_device, keep_freed_memory
from ..errors import UserError
from ..progress import Progress, StageProgress
from .common import DEVICE, PATH, RUN, Choice, Number, open_dataset, progress_bar
from .messages import EVERYDAY, SectionedCommand, say

if TYPE_CHECKING:
    from ..utility.assess import Assessment
    from ..utility.segmentation.assess import MaskAssessment

DAILY = ("--out", "--task", "--target", "--test", "--synthetic", "--classifier", "--preset", "--device", "--help")
ARMS = ("real", "classic", "synthetic", "filtered", "combined", "alone")  # of utility.arms, which imports numpy


@click.command(cls=SectionedCommand, sections={EVERYDAY: DAILY})
@RUN
@click.option("--out", required=True, type=PATH, help="A new folder, or one to go on with.")
@click.option(
    "--task",
    type=Choice(("classification", "segmentation")),
    default="classification",
    show_default=True,
    help="What is learned: classes, or the masks of a run with masks.",
)
@click.option("--target", metavar="ATTRIBUTE", help="The attribute to classify by. Default: classes, or combinations.")
@click.option("--test", metavar="SOURCE", help="Real images to test on. Default: those that the run held out.")
@click.option("--data", metavar="SOURCE", help="Where the run's images are now, if they have moved.")
@click.option("--synthetic", metavar="SOURCE", help="A set of synthetic images. Default: made by the run's generator.")
@click.option(
    "--arms",
    help=f"What networks are trained on, separated by commas. Default: {','.join(ARMS)}; segmentation has no filtered.",
)
@click.option("--ratios", default="0.5,1,2,5", show_default=True, help="Synthetic images per real one.")
@click.option("--classifier", type=Choice(("linear", "cnn", "both")), default="both", show_default=True)
@click.option(
    "--fractions", default="1", show_default=True, help="Fractions of the real images: 0.1,0.25,1 for a curve."
)
@click.option(
    "--seeds",
    type=Number(int, Range("5 or more", 5)),
    default=5,
    show_default=True,
    help="Repetitions of each training.",
)
@click.option("--balance", is_flag=True, help="Fill up rare classes before frequent ones.")
@click.option("--preset", type=Choice(("defect", "scan", "photo")), default="defect", show_default=True,
              help="Classic augmentation for such images.")  # fmt: skip
@click.option("--augmentations", metavar="FILE.yaml", type=PATH,
              help="Classic augmentation from a file of albumentations.")  # fmt: skip
@click.option("--features", default="lite0", show_default=True,
              help="Network of the linear classifier and the filters, as for evaluate.")  # fmt: skip
@click.option("--psi", "truncation_psi", type=Number(float), default=1.0, show_default=True, help="Truncation psi.")
@click.option("--seed", type=Number(int), default=0, show_default=True, help="Of the generated images.")
@click.option("--no-real-images", is_flag=True, help="Show no real images in the report, for private data.")
@DEVICE
def utility(
    run: Path,
    out: Path,
    task: str,
    test: str | None,
    data: str | None,
    synthetic: str | None,
    arms: str | None,
    ratios: str,
    classifier: str,
    fractions: str,
    no_real_images: bool,
    device: str,
    **options: Any,
) -> None:
    """Test whether synthetic images help a classifier or a U-Net.

    Networks are trained with and without synthetic images of RUN. They are tested on real images that neither the
    generator nor they have seen. If it is stopped, the same command goes on.
    """
    keep_freed_memory()
    # these import torch, which takes seconds that `--help` need not spend
    from ..utility.assess import Question, assess
    from ..utility.segmentation.assess import ARMS as MASK_ARMS
    from ..utility.segmentation.assess import MaskQuestion, assess_masks

    if task == "segmentation":
        for name, value, default in (
            ("--synthetic", synthetic, None),
            ("--fractions", fractions, "1"),
            ("--balance", options.pop("balance"), False),
            ("--target", options.pop("target"), None),
            ("--classifier", classifier, "both"),
            ("--features", options.pop("features"), "lite0"),
        ):
            if value != default:
                raise UserError(f"{name}: it is for --task classification, leave it out")
        chosen = MASK_ARMS if arms is None else tuple(map(str.strip, arms.split(",")))
        mask_question = MaskQuestion(arms=chosen, ratios=numbers("--ratios", ratios), **options)
        with bars() as progress:
            marked = assess_masks(
                run,
                out,
                mask_question,
                data=data,
                test=test,
                device=choose_device(device),
                show_real=not no_real_images,
                load=open_dataset,
                say=lambda line: say(line, err=True),
                progress=progress,
            )
        click.echo(as_mask_table(marked))
        click.echo(f"{marked.sentence}.")
        click.echo(f"results.json and report.html are in {out}")
        return
    question = Question(
        arms=ARMS if arms is None else tuple(map(str.strip, arms.split(","))),
        ratios=numbers("--ratios", ratios),
        classifiers=("linear", "cnn") if classifier == "both" else (classifier,),
        fractions=numbers("--fractions", fractions),
        **options,
    )
    with bars() as progress:
        found = assess(
            run,
            out,
            question,
            data=data,
            test=test,
            synthetic=synthetic,
            device=choose_device(device),
            show_real=not no_real_images,
            load=open_dataset,
            say=lambda line: say(line, err=True),
            progress=progress,
        )
    click.echo(as_table(found))
    click.echo(f"{found.verdict.sentence}.")
    click.echo(f"results.json and report.html are in {out}")


def as_mask_table(found: "MaskAssessment") -> str:
    """A line per arm: pairs, Dice, what it gained, IoU of each kind."""
    from ..utility.verdict import points

    width = max(len(result.arm.name) for result in found.results)
    lines = [
        f"  {'trained on':{width}} {'real':>6} {'synthetic':>9} {'Dice':>6}  {'IoU (' + ', '.join(found.kinds) + ')'}"
    ]
    for result in found.results:
        gain = "" if result.gain is None else f"gain {points(result.gain)}, p = {result.gain.p_corrected:.2g}"
        iou = ", ".join("-" if isnan(value) else f"{100 * value:.1f}" for value in result.iou)
        known = [value for value in result.dice if not isnan(value)]
        dice = 100 * sum(known) / len(known)
        lines.append(
            f"  {result.arm.name:{width}} {result.real:6d} {result.synthetic:9d} {dice:6.1f}  {iou}  {gain}".rstrip()
        )
    return "\n".join(lines)


def numbers(flag: str, text: str) -> tuple[float, ...]:
    """ "0.1,1" -> (0.1, 1.0)"""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"{flag} {text}: give numbers separated by commas") from None


@contextmanager
def bars() -> Iterator[StageProgress]:
    """A progress bar for each thing that is begun, with an estimate of the time left."""
    with ExitStack() as stack:

        def begin(name: str) -> Progress:
            stack.close()
            return stack.enter_context(progress_bar(name))

        yield begin


def as_table(found: "Assessment") -> str:
    """A line per arm: images, balanced accuracy, and what it gained."""
    from ..utility.verdict import points

    width = max(len(result.arm.name) for result in found.results)
    lines = []
    for (classifier, fraction), group in groupby(found.results, lambda result: (result.classifier, result.fraction)):
        results = list(group)
        lines.append(f"{classifier}, {fraction:.0%} of the real images")
        head = f"  {'trained on':{width}} {'real':>6} {'synthetic':>9} {'balanced accuracy':>17}  gain (95% interval)"
        lines.append(head)
        for result in results:
            gain = "" if result.gain is None else f"{points(result.gain)}, p = {result.gain.p_corrected:.2g}"
            numbers = f"{result.real:6d} {result.synthetic:9d} {100 * result.mean('balanced_accuracy'):17.1f}"
            lines.append(f"  {result.arm.name:{width}} {numbers}  {gain}".rstrip())
        saw = max(result.generator_saw or 0 for result in results)
        if saw:
            lines.append(f"  the generator saw more real images than these classifiers: {saw}")
    return "\n".join(lines)
