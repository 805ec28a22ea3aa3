"""The best generator of a run, and what the run forgets when it goes back to an older checkpoint."""

from itertools import pairwise

from ..checkpoint import read_info
from ..errors import UserError
from ..files import atomic_path
from ..progress import Say
from .run_folder import RunFolder


def keep_as_best(folder: RunFolder) -> None:
    """Keeps the generator that was just saved as the best one; the best before it, too, as long as a checkpoint is
    kept from before this one: a run that goes back to that ends as if it had not been interrupted.

    Figures on fresh seeds of the best before it, which a run has that goes on for longer, are no longer those of the
    best.
    """
    folder.confirmed_file.unlink(missing_ok=True)
    before = best_images(folder)
    if before is not None and before != read_info(folder.generator_file).images_seen:  # killed before it was noted
        with atomic_path(folder.earlier_best_file(before)) as temporary:
            temporary.write_bytes(folder.best_file.read_bytes())
    folder.copy_generator_as_best()


def best_images(folder: RunFolder) -> int | None:
    """The number of images after which the best generator was saved; None if none is kept."""
    return read_info(folder.best_file).images_seen if folder.best_file.exists() else None


def forget_after(folder: RunFolder, images_seen: int, say: Say) -> None:
    """Leaves of measurements and best generators those up to `images_seen`, where a run goes on. A best generator that
    cannot be read is set aside, which is said."""
    rows = folder.read_evaluations()
    kept = [row for row in rows if row["images"] <= images_seen]
    if len(kept) < len(rows):
        folder.write_evaluations(kept)
    for path in [*folder.earlier_bests(), folder.best_file]:
        try:
            if path.exists() and read_info(path).images_seen > images_seen:
                path.unlink()
        except UserError as error:
            say(f"warning: {error}; {folder.set_aside(path)}")
    if not folder.best_file.exists() and (left := folder.earlier_bests()):
        left[-1].rename(folder.best_file)
    confirmed = folder.read_confirmed()
    if confirmed is None or confirmed["images"] != best_images(folder):
        folder.confirmed_file.unlink(missing_ok=True)
    if folder.checkpoints():
        forget_superseded(folder)  # which a kill may have cut short


def forget_superseded(folder: RunFolder) -> None:
    """Deletes the earlier best generators that no checkpoint leads back to."""
    oldest = folder.checkpoints()[0]
    for path, successor in pairwise([*folder.earlier_bests(), folder.best_file]):
        if folder.checkpoint_file(read_info(successor).images_seen) <= oldest:
            path.unlink()
