import csv
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylegan_ada import load_generator
from stylegan_ada.checkpoint import read_info, save_generator
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.networks import Generator
from stylegan_ada.synthetic import candidates as make
from stylegan_ada.training import RunFolder


def manifest(folder: Path) -> list[dict[str, str]]:
    with open(folder / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_tree_is_that_of_training_data(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = command(
        "generate", "dataset", trained_run, "--out", out, "--per-class", 35, "--psi", "0.7", "--psi", "dark=0.9"
    )
    assert result.code == 0, result
    assert sorted(os.listdir(tmp_path)) == ["out"]
    rows = manifest(out)
    assert Counter(row["label"] for row in rows) == {"bright": 35, "dark": 35}
    assert {(row["label"], row["psi"]) for row in rows} == {("bright", "0.7"), ("dark", "0.9")}
    assert len({row["seed"] for row in rows}) == 70
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png")) == sorted(
        row["file"] for row in rows
    )
    generator = load_generator(trained_run)
    for row in (rows[0], rows[34], rows[69]):
        pixels = np.asarray(Image.open(out / row["file"])).astype(int)
        alone = generator.sample([int(row["seed"])], [row["label"]], float(row["psi"]))[0, :, :, 0]
        assert np.abs(pixels - alone).max() <= 1
    back = load_dataset(str(out), Preparation(size=16))
    assert back.classes == ("bright", "dark")
    assert np.bincount(back.labels).tolist() == [35, 35]
    card = (out / "README.md").read_text()
    assert "70 synthetic images" in card
    assert "| dark | 35 | 35 | 0.9 | 35 |" in card
    assert json.loads((out / "dataset.json").read_text())["seed"] == 0


def test_count_takes_the_shares_of_training(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    assert command("generate", "dataset", trained_run, "--out", tmp_path / "out", "--count", 5).code == 0
    assert sorted(Counter(row["label"] for row in manifest(tmp_path / "out")).values()) == [2, 3]


def test_balance_with_fills_up_to_the_largest_class(
    command: Callable[..., Any], fails: Callable[..., Any], trained_run: Path, image_folder: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    for name, count in (("bright", 7), ("dark", 3)):
        (few / name).mkdir(parents=True)
        for path in sorted((image_folder / name).iterdir())[:count]:
            (few / name / path.name).write_bytes(path.read_bytes())
    out = tmp_path / "out"
    assert command("generate", "dataset", trained_run, "--out", out, "--balance-with", few).code == 0
    assert Counter(row["label"] for row in manifest(out)) == {"dark": 4}
    assert not (out / "bright").exists()
    (few / "dark").rename(few / "darker")
    line = fails("generate", "dataset", trained_run, "--out", tmp_path / "no", "--balance-with", few)
    assert "class 'darker' of the set to fill: the generator has none, did you mean 'dark'?" in line


def test_the_same_files_on_one_process_two_and_after_a_kill(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    start: Callable[..., Any],
    environment: dict[str, str],
    one_thread: None,
    trained_run: Path,
    tmp_path: Path,
    root: Path,
) -> None:
    from stylegan_ada.synthetic.partial import PartialSet

    arguments = ["dataset", trained_run, "--per-class", "70", "--device", "cpu", "--reject-duplicates", "--features"]
    arguments += [scripted_pixels(tmp_path)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", port]
    one = command("generate", *arguments, "--out", tmp_path / "one")
    assert one.code == 0, one
    call = [sys.executable, *torchrun, root / "generate.py", *arguments, "--out", tmp_path / "two"]
    done = subprocess.run(
        list(map(str, call)), env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("images, manifest.csv") == 1  # one process speaks
    call = [sys.executable, root / "generate.py", *arguments, "--out", tmp_path / "killed"]
    blocks = PartialSet(tmp_path / "killed").path / "blocks"
    process = start(*call)
    while not list(blocks.glob("class*.npz")):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=120)
    assert not (tmp_path / "killed").exists()
    begun = {path: path.stat().st_mtime_ns for path in blocks.glob("class*.npz")}
    assert 1 <= len(begun) < 6
    again = ["generate", *arguments, "--out", tmp_path / "killed"]
    assert "was begun with another seed" in fails(*again, "--seed", "1")
    assert begun == {path: path.stat().st_mtime_ns for path in blocks.glob("class*.npz")}
    resumed = command(*again)
    assert resumed.code == 0, resumed
    assert not blocks.parent.exists()
    assert len(contents(tmp_path / "one")) == 140 + 3
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(tmp_path / "killed")


def scripted_pixels(folder: Path) -> Path:
    """A TorchScript network whose 16 features are means of pixels."""

    class Pixels(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.nn.functional.adaptive_avg_pool2d(x[:, :1], 4).flatten(1)

    path = folder / "pixels.pt"
    with pytest.warns(DeprecationWarning, match=r"torch\.jit"):  # what the files of users are made by
        torch.jit.trace(Pixels(), torch.zeros(2, 3, 224, 224)).save(str(path))
    return path


def test_shards_without_their_package_end_before_an_image_is_made(
    fails: Callable[..., Any], trained_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "webdataset", None)
    monkeypatch.setattr(make, "_make_blocks", lambda *_: pytest.fail("made"))
    line = fails("generate", "dataset", trained_run, "--out", tmp_path / "set", "--count", "4", "--shards")
    assert line.endswith("--shards needs the package webdataset: pip install webdataset")
    assert not list(tmp_path.iterdir())


def test_shards_hold_the_same_images(
    command: Callable[..., Any], trained_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webdataset.tariterators import group_by_keys, tar_file_expander

    monkeypatch.setattr("stylegan_ada.synthetic.write.SHARD", 4)
    options = ["generate", "dataset", trained_run, "--per-class", 3]
    assert command(*options, "--out", tmp_path / "tree").code == 0
    for name in ("shards", "again"):
        assert command(*options, "--shards", "--out", tmp_path / name).code == 0
    assert contents(tmp_path / "shards") == contents(tmp_path / "again")
    tars = sorted((tmp_path / "shards").glob("*.tar"))
    assert [path.name for path in tars] == ["shard-000000.tar", "shard-000001.tar"]
    with tarfile.open(tars[0]) as tar:
        assert {(member.mtime, member.uid, member.uname) for member in tar} == {(0, 0, "")}
    samples = []
    for path in tars:
        with open(path, "rb") as stream:
            for one in group_by_keys(tar_file_expander([{"url": path.name, "stream": stream}])):
                samples.append((int(one["cls"]), json.loads(one["json"])["seed"], one["png"]))
    assert [label for label, _, _ in samples] == [0, 1] * 3
    tree = {row["seed"]: (tmp_path / "tree" / row["file"]).read_bytes() for row in manifest(tmp_path / "tree")}
    assert {str(seed): content for _, seed, content in samples} == tree


def test_jpeg(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    sizes = []
    for quality in (20, 95):
        out = tmp_path / str(quality)
        options = ["--count", 2, "--format", "jpg", "--quality", quality]
        assert command("generate", "dataset", trained_run, "--out", out, *options).code == 0
        files = sorted(out.rglob("*.jpg"))
        assert len(files) == 2
        for file in files:
            with Image.open(file) as picture:
                assert picture.format == "JPEG"
        sizes.append(sum(file.stat().st_size for file in files))
    assert sizes[0] < sizes[1]


def test_without_labels_the_folder_is_flat(
    command: Callable[..., Any], fails: Callable[..., Any], trained_run: Path, tmp_path: Path
) -> None:
    from dataclasses import replace

    info = read_info(RunFolder(trained_run).generator_file)
    network = replace(info.network, c_dim=0)
    path = tmp_path / "unlabelled.safetensors"
    save_generator(path, Generator(network), replace(info, network=network, classes=(), class_counts=()))
    assert command("generate", "dataset", path, "--out", tmp_path / "out", "--count", 3).code == 0
    assert [row["file"] for row in manifest(tmp_path / "out")] == [f"seed000000000{seed}.png" for seed in range(3)]
    assert load_dataset(str(tmp_path / "out"), Preparation(size=16)).labels is None
    assert "without labels" in fails("generate", "dataset", path, "--out", tmp_path / "no", "--per-class", 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give one of --per-class, --count and --balance-with"),
        (["--count", "3", "--per-class", "3"], "give one of --per-class, --count and --balance-with"),
        (["--count", "0"], "--count 0: give 1 or more"),
        (["--count", "3", "--psi", "3"], "--psi 3.0: give a truncation from 0 to 2"),
        (["--count", "3", "--psi", "nan"], "--psi nan"),
        (["--count", "3", "--psi", "drak=0.7"], "did you mean 'dark'?"),
        (["--count", "3", "--psi", "much"], "give a number from 0 to 2, or CLASS=NUMBER"),
        (["--count", "3", "--label", "drak"], "--label drak: no such class, did you mean 'dark'?"),
        (["--count", "3", "--label", "dark", "--label", "bright"], "--count goes with one --label"),
        (["--count", "3", "--by", "class"], "--by class: say how many images of each value by --per-class"),
        (["--per-class", "3", "--by", "kind"], "--by kind: no such attribute"),
        (["--count", "3", "--keep-best", "0"], "--keep-best 0.0"),
        (["--count", "3", "--keep-best", "1.5"], "--keep-best 1.5"),
        (["--count", "3", "--quality", "0"], "--quality 0"),
        (["--count", "3", "--seed", "-1"], "seed -1"),
        (["--count", "3", "--format", "pgn"], "did you mean 'png'?"),
        (["--balance-with", "nowhere"], "there is no 'nowhere'"),
        (["--count", "3", "--reject-copies", "--features", "lite1"], "did you mean 'lite0'?"),
    ],
)
def test_bad_options(
    fails: Callable[..., Any], trained_run: Path, tmp_path: Path, options: list[Any], message: str
) -> None:
    assert message in fails("generate", "dataset", trained_run, "--out", tmp_path / "out", *options)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_files_and_a_run_without_a_generator(
    fails: Callable[..., Any], trained_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "it exists already" in fails("generate", "dataset", trained_run, "--out", tmp_path, "--count", 1)
    assert "no generator there" in fails("generate", "dataset", tmp_path, "--out", tmp_path / "out", "--count", 1)
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    trained_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["generate", "dataset", trained_run, "--out", tmp_path / "out", "--per-class", 3]

    def full(*arguments: Path | bytes, **options: np.ndarray) -> None:
        raise OSError(28, "No space left on device")

    for target in ("numpy.savez", "pathlib.Path.write_bytes"):  # a block, the finished tree
        with monkeypatch.context() as patch:
            patch.setattr(target, full)
            assert "No space left on device" in fails(*arguments, code=1)
        assert not (tmp_path / "out").exists()
    assert command(*arguments).code == 0
    assert os.listdir(tmp_path) == ["out"]


def test_filters_are_counted_and_what_is_missing_is_said(
    command: Callable[..., Any], trained_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    filters = ["--reject-copies", "--reject-mislabelled", "--reject-duplicates", "--keep-best", 0.5]
    options = [*filters, "--features", scripted_pixels(tmp_path), "--per-class", 20]
    result = command("generate", "dataset", trained_run, "--out", out, *options)
    assert result.code == 0, result
    facts = json.loads((out / "dataset.json").read_text())
    rows = manifest(out)
    for one in facts["per_class"]:
        assert one["candidates"] == one["images"] + sum(one["rejected"].values())
        assert one["images"] == sum(row["label"] == one["name"] for row in rows)
        missing = f"warning: {one['images']} images of class '{one['name']}', not 20"
        assert (missing in result.err) == (one["images"] < 20)
    assert sum(sum(one["rejected"].values()) for one in facts["per_class"]) > 0
    for row in rows:
        assert float(row["copy_distance"]) >= 1
        assert float(row["duplicate_distance"]) >= 1
        assert float(row["label_probability"]) >= 0.5
