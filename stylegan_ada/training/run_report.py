"""The report of a run: the finished values that its folder holds, handed to `report`."""

import torch

from .. import distributed
from ..files import write_text
from ..report import render_page
from ..report.build import RunRecord, make_page
from .evaluation import Evaluator
from .run_folder import RunFolder


def read_record(folder: RunFolder) -> RunRecord:
    """Reads the contents of a run's folder. UserError if it is not one of a run."""
    return RunRecord(
        config=folder.read_config(),
        options=folder.read_options(),
        log=folder.read_log(),
        evaluations=folder.read_evaluations(),
    )


def leave_report(folder: RunFolder, evaluator: Evaluator, seconds: float) -> None:
    """The report in the folder of a run that has ended, unless it is there and of this generator.

    Its metric results are those by which the best generator was confirmed (`Evaluator.of_best`, which `seconds` is
    for). Every process takes part, the first one writes.
    """
    path, first = folder.report_file, distributed.rank() == 0
    fresh = path.exists() and path.stat().st_mtime >= folder.generator_file.stat().st_mtime
    if not distributed.sum_over_ranks(torch.tensor(float(first and not fresh))):
        return
    evaluation = evaluator.of_best(seconds)
    if first:
        write_text(path, render_page(make_page(read_record(folder), evaluation, show_real=True)))
        evaluator.say(f"{path} is the report. It shows real images; stylegan-ada report can write one without")
    distributed.wait_for_all()  # the first process was still writing: none may leave the group before
