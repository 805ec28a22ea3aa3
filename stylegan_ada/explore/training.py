"""How far a run is, for a page that shows it while it goes on."""

from pathlib import Path
from typing import Any

from ..errors import UserError
from ..folders import is_locked
from ..report.plots import QUALITY, TRAINING
from ..training.run_folder import RunFolder

MOST_ROWS = 400  # of a curve


def training_state(folder: RunFolder) -> dict[str, Any]:
    """Rows of the log and of the measurements, thinned; panels: which of their values a curve has; samples: the numbers
    of images that there are sheets of; state: "running", "finished", or "stopped"."""
    config = folder.read_config()
    log = folder.read_log()
    try:
        evaluations = folder.read_evaluations()
    except UserError:  # said by `train`
        evaluations = []
    images = int(log[-1]["images"]) if log else 0
    ended = "finished" if images >= config.training.kimg * 1000 else "stopped"
    state = "running" if is_locked(folder.path) else ended
    return {
        "state": state,
        "kimg": images / 1000,
        "kimg_wanted": config.training.kimg,
        "left": _seconds_left(log, config.training.kimg) if state == "running" else None,
        "log": thinned(log),
        "evaluations": thinned(evaluations),
        "findings": evaluations[-1].get("findings", []) if evaluations else [],
        "panels": [
            {"rows": rows, "title": title, "names": names}
            for rows, panels in (("log", TRAINING), ("evaluations", QUALITY))
            for title, names in panels
        ],
        "samples": folder.samples(),
    }


def samples_path(folder: RunFolder, images: int) -> Path:
    """UserError if there is no such sheet."""
    if images not in folder.samples():
        raise UserError("there is no such sheet of samples")
    return folder.samples_file(images)


def thinned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most MOST_ROWS of them, evenly spread, with the last; values that are no finite numbers left out."""
    if len(rows) > MOST_ROWS:
        places = {round(index * (len(rows) - 1) / (MOST_ROWS - 1)) for index in range(MOST_ROWS)}
        rows = [rows[place] for place in sorted(places)]
    return [
        {name: value for name, value in row.items() if isinstance(value, int | float) and abs(value) < float("inf")}
        for row in rows
    ]


def _seconds_left(log: list[dict[str, float]], kimg: float) -> float | None:
    if not log or "sec_per_kimg" not in log[-1]:
        return None
    return max(0.0, kimg - log[-1]["kimg"]) * log[-1]["sec_per_kimg"]
