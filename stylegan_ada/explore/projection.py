"""A real image that is projected for a page: the picture as it forms, then whether the generator covers it."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..config.preparation import Preparation
from ..datasets.reading.unreadable import Unreadable
from ..errors import UserError
from ..projection.coverage import measure_coverage
from ..projection.distance import make_distance
from ..projection.facts import coverage_facts, projection_facts
from ..projection.folder import ResultFolder
from ..projection.inputs import read_input_image
from ..projection.latents import Latents
from ..projection.projector import Projector
from ..training.run_folder import RunFolder
from .jobs import Job
from .real import RealSide
from .shelf import Item
from .workbench import Workbench, as_text

EVERY = 0.5  # seconds between pictures
BATCH = 8


def read_upload(content: bytes, folder: Path, workbench: Workbench, run: Path) -> NDArray[np.uint8]:
    """uint8 [H, W, C] of an uploaded file as training would have it, read from a file in `folder`, which is deleted.
    UserError for what is no image or too small."""
    home = RunFolder(run if run.is_dir() else run.parent)
    preparation = home.read_config().data.preparation if home.is_run() else Preparation()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"upload-{time.time_ns()}"
    try:
        path.write_bytes(content)
        image, _ = read_input_image(
            path, workbench.generator.image_shape, replace(preparation, window=workbench.generator.info.window)
        )
    except Unreadable as error:
        raise UserError(f"the file cannot be projected: {error}") from None
    finally:
        path.unlink(missing_ok=True)
    return image


def project_upload(
    job: Job,
    image: NDArray[np.uint8],
    title: str,
    label: str | None,
    steps: int,
    workbench: Workbench,
    real: RealSide,
    run: Path,
    folder: Path,
) -> None:
    """label: None searches it where there are any. What comes out is on the shelf, and in the job's `found`."""
    generator = workbench.generator
    if not real.hidden:
        job.found["target"] = as_text(image)
    job.begin("reading the network that compares")
    projector = Projector(generator, make_distance("vgg", generator.device), steps=steps)
    job.begin("choosing a start")
    shown = time.monotonic()

    def watch(step: int, w: Tensor, noise: Tensor) -> None:
        nonlocal shown
        job.phase = "projecting"
        job.progress(step, steps)
        if time.monotonic() - shown > EVERY:
            picture, _ = workbench.painter.paint(w.detach().clone(), noise.detach().clone())
            job.found["forming"] = as_text(picture[0])
            shown = time.monotonic()

    with torch.enable_grad():
        found = projector(image[None], [] if label is None else [label], None, watch)
    own = Latents(found.w, found.noise, found.labels, "w+", workbench.digest)
    item = workbench.shown([Item(latents=own, origin=f"projection of {title}")])[0]
    distance = float(found.untuned_distances[0])
    job.found |= {"item": item, "forming": None, "distance": distance, "psnr": float(found.psnr[0])}
    job.found["covered"] = _covered(job, projector, distance, label is None, real, run, folder)


def _covered(
    job: Job, projector: Projector, distance: float, search: bool, real: RealSide, run: Path, folder: Path
) -> str:
    """ "yes", "no", or why that is not known. Projects up to 32 of the run's own images, once for all."""
    job.begin("projecting the run's own images, to compare with")
    try:
        known = real.images()
    except UserError as error:
        return f"not known: {error}"
    facts = projection_facts(projector, run, [], None, label=None, fit="", batch=BATCH)
    results = ResultFolder(folder)
    with results.locked():
        coverage = measure_coverage(
            projector, known, None, search and bool(projector.generator.classes), BATCH, results,
            coverage_facts(facts), job.progress,
        )  # fmt: skip
    job.found["limit"], job.found["kind"] = coverage.limit, coverage.kind
    return "yes" if coverage.covers(distance) else "no"
