"""The whole assessment: from a run with masks to a verdict, its figures and its page."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..._version import __version__
from ...checkpoint import generator_file
from ...datasets import ImageDataset, load_dataset, same_pictures
from ...errors import UserError
from ...files import write_text
from ...pictures.grids import image_grid
from ...pictures.masks import with_contours
from ...pixels import nhwc
from ...progress import Say, StageProgress
from ...report.page import Picture, render_page
from ...sampling import check_truncation_psi, load_generator
from ...synthetic.plan import check_seed
from ..arms import KINDS, RATIOS, first_arms
from ..classic import AUGMENTATION_PRESETS, make_pipeline
from ..page import Table, UtilityPage
from ..real import MOST_NAMED
from ..validation import draw_fit_and_validation
from ..verdict import points
from ..work import check_unused, work_folder
from .pairs import TrainTestPairs, check_marked, open_pairs, pairs_of, synthetic_pairs
from .results import ArmResult, best_with_synthetic, results_of, verdict
from .trials import ArmTrials, Experiment, run_experiment, true_masks

ARMS = tuple(kind for kind in KINDS if kind != "filtered")
SHOWN = 8  # test images on the page


@dataclass(frozen=True, kw_only=True)
class MaskQuestion:
    """The arms to compare, and how. Fields as in `utility.assess.Question`. UserError for anything out of range."""

    arms: tuple[str, ...] = ARMS
    ratios: tuple[float, ...] = RATIOS
    seeds: int = 5
    preset: str = AUGMENTATION_PRESETS[0]
    augmentations: Path | None = None
    truncation_psi: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if "filtered" in self.arms:
            raise UserError("`arms` filtered: filters judge classes, for masks leave it out")
        first_arms(self.arms, self.ratios)
        if self.seeds < 1:
            raise UserError(f"`seeds` {self.seeds}: give 1 or more")
        check_truncation_psi(self.truncation_psi)
        check_seed(self.seed)


@dataclass(frozen=True, eq=False, kw_only=True)
class MaskAssessment:
    """kind: "gain", "no gain shown" or "harm". sentence: the verdict."""

    kind: str
    sentence: str
    results: list[ArmResult]
    kinds: tuple[str, ...]


def assess_masks(
    run_folder: Path,
    out: Path,
    question: MaskQuestion,
    *,
    data: str | None = None,
    test: str | None = None,
    device: torch.device,
    show_real: bool = True,
    load: Callable[..., ImageDataset] = load_dataset,
    say: Say = print,
    progress: StageProgress = lambda name: lambda done, total: None,
) -> MaskAssessment:
    """Writes results.json and report.html to `out`. If it is stopped, the same call goes on. Parameters as of
    `utility.assess.assess`."""
    check_unused(out)
    generator = load_generator(run_folder, device)
    if not generator.mask_kinds:
        raise UserError(f"{run_folder}: this generator makes no masks, train with `masks`, or leave `task` out")
    if generator.image_shape[0] == 4:
        raise UserError(f"{run_folder}: classic augmentation has no transparency: assess a run without `channels` rgba")
    pipeline = make_pipeline(question.preset, generator.image_shape, question.augmentations)
    real = open_pairs(run_folder, data, test, load)
    file = question.augmentations
    facts = {
        "version": __version__,
        "torch": torch.__version__,
        "generator_sha256": hashlib.sha256(generator_file(run_folder).read_bytes()).hexdigest(),
        "train": real.train.dataset.fingerprint,
        "test": real.test.dataset.fingerprint,
        "device": generator.device.type,
        **asdict(question),
        "augmentations": None if file is None else hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    with work_folder(out, facts) as work:
        fit = draw_fit_and_validation(real.train, 1.0, 0).fit
        count = max(round(max(question.ratios) * len(fit)), 1)
        made = synthetic_pairs(
            generator, count, question.truncation_psi, question.seed, work / "synthetic", progress("synthetic pairs")
        )
        real = _without(real, same_pictures(real.test.pictures, made.images))
        for name, why in real.refused[:MOST_NAMED]:
            say(f"warning: {name} is left out of the test: {why}")
        if len(real.refused) > MOST_NAMED:
            say(f"warning: {len(real.refused) - MOST_NAMED} more are left out: results.json names them")
        experiment = Experiment(
            real=real,
            synthetic=made,
            pipeline=pipeline,
            kinds=question.arms,
            ratios=question.ratios,
            seeds=question.seeds,
            device=device,
            folder=work / "trials",
        )
        found = run_experiment(experiment, progress("networks"))
        results = results_of(found, true_masks(pairs_of(real.test)), real.test.units)
        kind, sentence = verdict(results)
        assessment = MaskAssessment(kind=kind, sentence=sentence, results=results, kinds=real.kinds)
        _write(out, assessment, real, found, facts, show_real)
    return assessment


def _without(real: TrainTestPairs, same: NDArray[np.int64]) -> TrainTestPairs:
    """The pairs without test images that a synthetic image repeats: its generator has seen them."""
    repeated = same >= 0
    names = [real.test.names[index] for index in np.flatnonzero(repeated)]
    refused = tuple((name, "a synthetic image is this picture") for name in names)
    if repeated.sum() > len(repeated) - 2:
        raise UserError("synthetic images repeat the test images: give others by `test`")
    test = real.test.only(~repeated)
    check_marked(test)
    return replace(real, test=test, refused=real.refused + refused)


def _write(
    out: Path,
    found: MaskAssessment,
    real: TrainTestPairs,
    trials: Sequence[ArmTrials],
    facts: dict[str, Any],
    show_real: bool,
) -> None:
    content = {
        "verdict": found.kind,
        "sentence": found.sentence,
        "kinds": list(found.kinds),
        "training_images": len(real.train),
        "test_images": len(real.test),
        "refused": [{"file": name, "reason": why} for name, why in real.refused],
        "options": facts,
        "arms": [result.record(found.kinds) for result in found.results],
    }
    write_text(out / "results.json", json.dumps(content, indent=1, default=str) + "\n")
    columns = ("real", "synthetic", "Dice", "gain", "p", *(f"IoU {kind}" for kind in found.kinds), "s")
    page = UtilityPage(
        title="Do synthetic images with masks help?",
        facts=(
            ("trained on", f"{len(real.train)} real pairs"),
            ("tested on", f"{len(real.test)} real pairs that neither generator nor networks have seen"),
            ("kinds", ", ".join(found.kinds)),
            ("seeds", str(facts["seeds"])),
        ),
        findings=(found.sentence + ".",),
        tables=(Table("A small U-Net", columns, tuple((one.arm.name, _row(one), "") for one in found.results)),),
        footnotes=(
            "Numbers are means over seeds, in percent, over all pixels of all test images. The gain is that of Dice "
            "over the best arm without synthetic pairs, with a 95% interval; p is corrected for the number of arms "
            "(Holm).",
        ),
        pictures=(_shown(found, real, trials),) if show_real else (),
        options=tuple((name, str(value)) for name, value in facts.items() if value is not None),
    )
    template = (files(__package__).joinpath("..") / "page.html").read_text(encoding="utf-8")
    write_text(out / "report.html", render_page(page, template))


def _row(result: ArmResult) -> tuple[str, ...]:
    gain = result.gain
    return (
        str(result.real),
        str(result.synthetic),
        f"{100 * np.nanmean(result.dice):.1f}",
        "" if gain is None else points(gain),
        "" if gain is None else f"{gain.p_corrected:.2g}",
        *("" if np.isnan(one) else f"{100 * one:.1f}" for one in result.iou),
        f"{result.seconds:.1f}",
    )


def _shown(found: MaskAssessment, real: TrainTestPairs, trials: Sequence[ArmTrials]) -> Picture:
    """Some test images: as they were drawn, and as networks of the first seed mark them."""
    best = best_with_synthetic(found.results)
    places = np.linspace(0, len(real.test) - 1, min(SHOWN, len(real.test))).astype(int)
    test = pairs_of(real.test)
    images = nhwc(np.asarray(test.images[places]))
    rows = {"drawn": nhwc(np.asarray(test.masks[places]))}
    for name in (best.baseline, best.arm.name):
        trial = next(one for one in trials if one.arm.name == name).trials[0]
        rows[name] = nhwc(trial.marked[places].astype(np.uint8) * 255)
    picture = image_grid([with_contours(images, masks) for masks in rows.values()], list(rows))
    return Picture(title="Test images", caption="what is marked, by hand and by networks", image=picture)
