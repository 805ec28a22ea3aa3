"""The report of a run: the finished values that its folder holds, handed to `report`."""

from ..report.build import RunRecord
from .evaluation import read_evaluations
from .monitor import read_log
from .run_folder import RunFolder


def read_record(folder: RunFolder) -> RunRecord:
    """What the folder tells. UserError if it is not one of a run."""
    return RunRecord(
        config=folder.read_config(),
        options=folder.read_options(),
        log=read_log(folder.path),
        evaluations=read_evaluations(folder.path),
    )
