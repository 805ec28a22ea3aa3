"""The whole assessment: from a run to a verdict, its figures and its page."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .._version import __version__
from ..checkpoint import generator_file
from ..config.preparation import Preparation
from ..datasets import ImageDataset, load_dataset
from ..errors import UserError, nearest
from ..files import atomic_path, write_text
from ..metrics.evaluate import RealImages, compute_real
from ..metrics.networks import make_extractor
from ..metrics.networks.extractor import Extractor
from ..progress import Progress, Say, StageProgress
from ..sampling import TrainedGenerator, check_truncation_psi, load_generator
from ..synthetic.filters import Filters
from ..synthetic.plan import Recipe, check_seed
from .arms import KINDS, RATIOS, first_arms
from .classic import AUGMENTATION_PRESETS, make_pipeline
from .experiment import (
    CLASSIFIERS,
    COPIES,
    Experiment,
    TrainTestFeatures,
    augmented_batches,
    largest_counts,
    run_experiment,
)
from .page import utility_page
from .pool import DatasetSource, GeneratorSource, Pool, make_pool
from .real import LabelledImages, TrainTestImages, open_real, require_two_classes, without_synthetic
from .results import ArmResult, arm_record, results_of
from .target import Target, target_of
from .verdict import UtilityVerdict, verdict_of
from .work import POOL, TRIALS, check_unused, work_folder

FEWEST_SEEDS = 5


@dataclass(frozen=True, kw_only=True)
class Question:
    """The arms to compare, and how.

    arms: of `KINDS`. ratios: synthetic images per real one. classifiers: of `CLASSIFIERS`. fractions: of the real
    training images, in (0, 1]. seeds: repetitions, 1 or more. balance: rare classes are filled up before frequent ones.
    preset, augmentations: classic augmentation, of `AUGMENTATION_PRESETS` or by a file of albumentations. features: the
    linear classifier's and the filters' network. truncation_psi, seed: of the generated images. target: the attribute
    whose values are to be named; None: the classes, which are the combinations of attributes where there are any.
    UserError for anything out of range.
    """

    arms: tuple[str, ...] = KINDS
    ratios: tuple[float, ...] = RATIOS
    classifiers: tuple[str, ...] = CLASSIFIERS
    fractions: tuple[float, ...] = (1.0,)
    seeds: int = FEWEST_SEEDS
    balance: bool = False
    preset: str = AUGMENTATION_PRESETS[0]
    augmentations: Path | None = None
    features: str = "lite0"
    truncation_psi: float = 1.0
    seed: int = 0
    target: str | None = None

    def __post_init__(self) -> None:
        first_arms(self.arms, self.ratios)
        for name in self.classifiers:
            if name not in CLASSIFIERS:
                raise UserError(f"`classifier` {name}: no such choice, {nearest(name, CLASSIFIERS)}")
        if not self.fractions or not all(0 < fraction <= 1 for fraction in self.fractions):
            raise UserError(f"`fractions` {','.join(map(str, self.fractions))}: give numbers above 0, up to 1")
        if self.seeds < 1:
            raise UserError(f"`seeds` {self.seeds}: give 1 or more")
        check_truncation_psi(self.truncation_psi)
        check_seed(self.seed)


@dataclass(frozen=True, eq=False, kw_only=True)
class Assessment:
    """The outcome, with the images that it was tested on. generator_saw: images that the generator learned from."""

    verdict: UtilityVerdict
    results: list[ArmResult]
    real: TrainTestImages
    generator_saw: int


def assess(
    run_folder: Path,
    out: Path,
    question: Question,
    *,
    data: str | None = None,
    test: str | None = None,
    synthetic: str | None = None,
    device: torch.device,
    show_real: bool = True,
    load: Callable[..., ImageDataset] = load_dataset,
    say: Say = print,
    progress: StageProgress = lambda name: lambda done, total: None,
) -> Assessment:
    """Writes results.json and report.html to `out`. If it is stopped, the same call goes on.

    data: where the run's images are now, if they have moved. test: images to test on, if not those held out. synthetic:
    a set of generated images, if not made by the run's generator. show_real: with test images on the page. load: called
    as `load_dataset` is. say: told what is left out, and why. UserError for anything that does not fit together.
    """
    check_unused(out)
    generator = load_generator(run_folder, device)
    if generator.image_shape[0] == 4:
        raise UserError(f"{run_folder}: classic augmentation has no transparency: assess a run without `channels` rgba")
    # what may be missing or broken comes before the images, which may take long to pack
    pipeline = make_pipeline(question.preset, generator.image_shape, question.augmentations)
    linear, filtered = "linear" in question.classifiers, "filtered" in question.arms
    extractor = make_extractor(question.features, device, generator.image_shape[1:]) if linear or filtered else None
    target = target_of(generator.labels, question.target)
    real = open_real(run_folder, target, data, test, load)
    source = _source(question, generator, target, synthetic, load)
    facts = _facts(question, generator, run_folder, real, extractor, source)
    with work_folder(out, facts) as work:
        filters = _filters(real.train, target.classes, extractor) if filtered and extractor is not None else None
        counts = largest_counts(real.train, len(real.classes), question.ratios, question.fractions, question.balance)
        pool = make_pool(source, counts, filters, extractor, work / POOL, progress("synthetic images"))
        usable, refused = without_synthetic(real.test, pool.images, lambda index: _name(source, pool, index))
        require_two_classes(usable, refused)
        real = replace(real, test=usable, refused=real.refused + refused)
        for line in real.notes:
            say(f"warning: {line}")
        features = None
        if linear and extractor is not None:
            features = _features(real, extractor, question, pipeline, work, progress)
        experiment = Experiment(
            real=real,
            pool=pool,
            features=features,
            pipeline=pipeline,
            kinds=question.arms,
            ratios=question.ratios,
            classifiers=question.classifiers,
            fractions=question.fractions,
            seeds=question.seeds,
            balance=question.balance,
            device=device,
            folder=work / TRIALS,
        )
        results = results_of(run_experiment(experiment, progress("classifiers")), real.test, len(real.train))
        assessment = Assessment(verdict=verdict_of(results), results=results, real=real, generator_saw=len(real.train))
        _write(out, assessment, facts, pool, show_real)
    return assessment


def _source(
    question: Question,
    generator: TrainedGenerator,
    target: Target,
    synthetic: str | None,
    load: Callable[..., ImageDataset],
) -> GeneratorSource | DatasetSource:
    if synthetic is None:
        return GeneratorSource(generator, target.labels, question.seed, question.truncation_psi)
    channels, height, width = generator.image_shape
    window = generator.info.window
    size = (height, width)
    preparation = Preparation(
        size=size, channels=channels, beyond_8_bits=window is not None, window=window, attributes=target.asked
    )
    return DatasetSource(load(synthetic, preparation), target, synthetic)


def _facts(
    question: Question,
    generator: TrainedGenerator,
    run_folder: Path,
    real: TrainTestImages,
    extractor: Extractor | None,
    source: GeneratorSource | DatasetSource,
) -> dict[str, Any]:
    """All that the results depend on."""
    file = question.augmentations
    return {
        "version": __version__,
        "torch": torch.__version__,
        "generator_sha256": hashlib.sha256(generator_file(run_folder).read_bytes()).hexdigest(),
        "train": real.train.dataset.fingerprint,
        "test": real.test.dataset.fingerprint,
        "synthetic": source.fingerprint if isinstance(source, DatasetSource) else None,
        "device": generator.device.type,
        "network": None if extractor is None else extractor.identity,
        **asdict(question),
        "augmentations": None if file is None else hashlib.sha256(file.read_bytes()).hexdigest(),
    }


def _filters(train: LabelledImages, classes: tuple[str, ...], extractor: Extractor) -> Filters:
    """The filters of `generate dataset`, knowing the training images alone, and nothing of the test images."""
    known = RealImages(dataset=train.dataset, reference=train.members, trained_on=train.members)
    count = len(classes)
    recipe = Recipe(
        counts=(1,) * count,
        psi=(1.0,) * count,
        reject_copies=True,
        reject_mislabelled=True,
        reject_duplicates=True,
    )
    try:
        return Filters(recipe, compute_real(known, extractor), classes, extractor)
    except UserError as error:
        raise UserError(f"`arms` filtered: {error}") from None


def _name(source: GeneratorSource | DatasetSource, pool: Pool, index: int) -> str:
    """The name of a synthetic image. Those of a class follow each other."""
    label = int(pool.labels[index])
    return source.name(label, index - int(np.searchsorted(pool.labels, label)))


def _features(
    real: TrainTestImages, extractor: Extractor, question: Question, pipeline: Any, work: Path, progress: StageProgress
) -> TrainTestFeatures:
    copies = None
    if {"classic", "combined"} & set(question.arms):
        copies = _copies(real.train, extractor, pipeline, work / "copies.npy", progress("augmented images"))
    return TrainTestFeatures(train=_of(real.train, extractor), test=_of(real.test, extractor), copies=copies)


def _of(images: LabelledImages, extractor: Extractor) -> NDArray[np.float32]:
    known = RealImages(dataset=images.dataset, reference=images.members)
    return np.asarray(compute_real(known, extractor).reference, np.float32)


def _copies(
    train: LabelledImages, extractor: Extractor, pipeline: Any, path: Path, progress: Progress
) -> NDArray[np.float32]:
    if not path.exists():
        total = COPIES * len(train)
        rows = []
        for copy in range(COPIES):

            def count_done(done: int, before: int = copy * len(train)) -> None:
                progress(before + done, total)

            rows.append(extractor.extract(augmented_batches(train, pipeline, copy), count_done))
        with atomic_path(path) as temporary:
            np.save(temporary, np.stack([extractor.features(one) for one in rows]))
    return np.load(path)


def _write(out: Path, assessment: Assessment, facts: dict[str, Any], pool: Pool, show_real: bool) -> None:
    real, verdict = assessment.real, assessment.verdict
    content = {
        "verdict": verdict.kind,
        "sentence": verdict.sentence,
        "classifier": verdict.best.classifier,
        "classes": list(real.classes),
        "training_images": len(real.train),
        "test_images": len(real.test),
        "test_images_by_class": np.bincount(real.test.labels, minlength=len(real.classes)).tolist(),
        "refused": [{"file": name, "reason": why} for name, why in real.refused],
        "warnings": real.warnings,
        "synthetic_images": len(pool.labels),
        "synthetic_images_kept_by_filters": int(pool.accepted.sum()),
        "options": facts,
        "arms": [arm_record(result, real.classes) for result in assessment.results],
    }
    write_text(out / "results.json", json.dumps(content, indent=1) + "\n")
    about = [
        ("trained on", f"{len(real.train)} real images"),
        ("tested on", f"{len(real.test)} real images that neither generator nor classifiers have seen"),
        ("synthetic images", f"{len(pool.labels)}, of which the filters keep {int(pool.accepted.sum())}"),
        ("classes", ", ".join(real.classes)),
        ("seeds", str(facts["seeds"])),
    ]
    options = [(name, str(value)) for name, value in facts.items() if value is not None]
    write_text(out / "report.html", utility_page(assessment.results, verdict, real, about, options, show_real))
