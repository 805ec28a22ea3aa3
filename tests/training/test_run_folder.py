"""The files of a run: their names, what is read from them, and errors that name them."""

import ast
import dataclasses
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stylegan_ada.errors import UserError
from stylegan_ada.training import RunFolder
from stylegan_ada.training.state import fresh_state

# as they are documented, and as runs of earlier versions have them
NAMES = {
    "config_file": "config.json",
    "options_file": "options.json",
    "holdout_file": "holdout.json",
    "log_file": "log.jsonl",
    "evaluations_file": "evaluations.jsonl",
    "count_file": "measuring.json",
    "confirmed_file": "best.json",
    "report_file": "report.html",
    "generator_file": "generator.safetensors",
    "best_file": "best.safetensors",
    "curves_file": "curves.png",
}
ROWS = [{"images": 8, "kid": 0.5, "p": 0.0}, {"images": 16, "kid": 0.25, "p": 0.125}]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def test_names_of_the_files(folder: RunFolder, tmp_path: Path) -> None:
    for attribute, name in NAMES.items():
        assert getattr(folder, attribute) == tmp_path / name
    assert folder.samples_file(1200) == tmp_path / "samples-0000001200.png"
    assert folder.checkpoint_file(1200) == tmp_path / "checkpoint-0000001200.pt"


def test_no_other_module_spells_these_names(root: Path) -> None:
    """But for files of folders that are no runs: of synthetic sets, projections, and utility."""
    spelled = set()
    for path in (root / "stylegan_ada").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        docstrings = {node.value for node in nodes if isinstance(node, ast.Expr)}
        texts = [node.value for node in nodes if isinstance(node, ast.Constant) and node not in docstrings]
        words = {word for text in texts if isinstance(text, str) for word in text.split()}
        names = {word for word in words if word in NAMES.values() or word.startswith(("checkpoint-", "samples-"))}
        spelled |= {(path.relative_to(root / "stylegan_ada").as_posix(), name) for name in names}
    assert {(file, name) for file, name in spelled if file not in ("training/run_folder.py", "checkpoint.py")} == {
        ("projection/folder.py", "options.json"),
        ("synthetic/partial.py", "options.json"),
        ("utility/work.py", "options.json"),
        ("utility/segmentation/assess.py", "report.html"),
        ("utility/assess.py", "report.html"),
        ("cli/utility.py", "report.html"),
    }


def test_what_is_written_is_read(folder: RunFolder, tiny_config: Callable[..., Any]) -> None:
    config = tiny_config()
    folder.write_config(config)
    folder.write_options({"kimg": 1.5, "data": "x"})
    folder.write_log(ROWS)
    folder.write_evaluations(ROWS)
    folder.write_confirmed(ROWS[1])
    assert folder.read_config() == config
    assert folder.read_options() == {"kimg": 1.5, "data": "x"}
    assert folder.read_log() == folder.read_evaluations() == ROWS
    assert folder.read_confirmed() == ROWS[1]


def test_of_a_run_that_has_not_come_so_far_there_is_nothing(folder: RunFolder) -> None:
    assert folder.read_log() == folder.read_evaluations() == folder.checkpoints() == []
    assert folder.read_confirmed() is None
    assert not folder.is_run()


def test_a_row_of_the_log_that_a_kill_cut_short_is_left_out(folder: RunFolder) -> None:
    folder.write_log(ROWS[:1])
    folder.append_to_log(ROWS[1])
    assert folder.log_file.read_text().count("\n") == 2
    folder.log_file.write_text(folder.log_file.read_text()[:-5])
    assert folder.read_log() == ROWS[:1]


@pytest.fixture
def limit_files() -> Iterator[Callable[[int], None]]:
    """limit_files(size): files of this process may not grow beyond so many bytes, as on a disk that gets full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_row_of_the_log_for_which_there_is_no_room_leaves_no_half(
    folder: RunFolder, limit_files: Callable[[int], None]
) -> None:
    folder.append_to_log(ROWS[0])
    size = folder.log_file.stat().st_size
    limit_files(size + 10)  # the system writes ten bytes, then none
    with pytest.raises(OSError, match="File too large"):
        folder.append_to_log(ROWS[1])
    assert folder.log_file.stat().st_size == size
    limit_files(10 * size)
    folder.append_to_log(ROWS[1])
    assert folder.read_log() == ROWS


def test_a_list_of_held_out_images_is_json_to_read(folder: RunFolder) -> None:
    folder.write_holdout(["a/1.png", "b/2.png"])
    assert folder.holdout_file.read_text() == '[\n "a/1.png",\n "b/2.png"\n]\n'


@pytest.mark.parametrize(
    ("attribute", "read", "message"),
    [
        ("options_file", RunFolder.read_options, "so the run cannot go on, use a new `out`"),
        ("evaluations_file", RunFolder.read_evaluations, "delete it to measure anew"),
    ],
)
def test_a_broken_file_is_named_with_what_to_do(
    attribute: str, read: Callable[..., Any], message: str, folder: RunFolder
) -> None:
    path = getattr(folder, attribute)
    path.write_text('{"images": ')
    with pytest.raises(UserError) as error:
        read(folder)
    assert str(error.value).startswith(f"{path}: cannot be read (")
    assert str(error.value).endswith(message)


def test_a_folder_of_no_run_is_named(folder: RunFolder) -> None:
    with pytest.raises(UserError, match=r"not a run folder \(No such file or directory: config\.json\)"):
        folder.read_config()
    folder.config_file.write_text("{}")
    with pytest.raises(UserError) as error:
        folder.read_config()
    assert str(error.value).startswith(f"{folder.config_file}: ")


def test_a_run_goes_on_only_from_a_checkpoint(folder: RunFolder, tiny_config: Callable[..., Any]) -> None:
    folder.write_config(tiny_config())
    assert folder.is_run()
    assert not folder.has_begun()
    folder.checkpoint_file(8).touch()
    assert folder.has_begun()


def test_nothing_is_written_among_other_files(folder: RunFolder) -> None:
    folder.options_file.touch()
    folder.check_unused()
    (folder.path / "notes.txt").touch()
    with pytest.raises(UserError, match=r"the folder holds other files \(notes\.txt\)"):
        folder.check_unused()


def test_what_a_killed_process_had_begun_to_write_is_no_other_file(folder: RunFolder) -> None:
    (folder.path / ".config.17361640446243352001.json").write_text("{")
    folder.check_unused()
    with folder.locked():
        assert [path.name for path in folder.path.iterdir()] == [".lock"]


def test_the_newest_checkpoints_are_kept(folder: RunFolder, tiny_config: Callable[..., Any]) -> None:
    config = tiny_config(keep=2)
    state = fresh_state(config, "cpu")
    for images in (8, 80, 800):
        folder.save_checkpoint(dataclasses.replace(state, images_seen=images), config)
    assert folder.checkpoints() == [folder.checkpoint_file(80), folder.checkpoint_file(800)]


@pytest.mark.parametrize("name", [".backup.2024.json", ".backup.20241130.json", ".notes.1", ".report.v1.2.html"])
def test_a_hidden_file_of_the_users_is_one(name: str, folder: RunFolder) -> None:
    (folder.path / name).touch()
    with pytest.raises(UserError, match="the folder holds other files"):
        folder.check_unused()
    with folder.locked():
        assert (folder.path / name).exists()


def test_the_count_of_measured_images_is_kept(folder: RunFolder) -> None:
    assert folder.read_count() is None
    folder.write_count(288)
    assert folder.read_count() == 288
    folder.count_file.write_text('{"cou')
    assert folder.read_count() is None


def test_the_best_generator_is_kept_beside_the_last(folder: RunFolder) -> None:
    folder.generator_file.write_bytes(b"first")
    folder.copy_generator_as_best()
    folder.generator_file.write_bytes(b"second")
    assert folder.best_file.read_bytes() == b"first"
