import html.parser
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_ada import load_generator
from stylegan_ada.metrics import networks as features
from stylegan_ada.metrics.words.results import number
from stylegan_ada.report import Picture, RunPage, render_page
from stylegan_ada.training import RunFolder, evaluation

NASTY = '<script src="http://x.y/z.js">alert(1)</script> & "quoted"'


class Reader(html.parser.HTMLParser):
    """Tags with their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[Any]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[Any]:
        return [attributes for tag, attributes in self.tags if tag == name]


def page(**other: Any) -> Any:
    plain = {"title": NASTY, "facts": ((NASTY, NASTY),), "findings": (NASTY,), "metrics": (), "footnotes": (NASTY,),
             "options": ((NASTY, NASTY),), "pixels": ((NASTY,) * 5,), "config": NASTY, "version": NASTY}  # fmt: skip
    image = Image.fromarray(np.zeros((4, 6), np.uint8))
    pictures = (
        Picture(title=NASTY, caption=NASTY, image=image),
        Picture(title="b", caption="", image=image, lossless=False),
    )
    return RunPage(**{**plain, "pictures": pictures, **other})


def test_everything_is_escaped_and_nothing_comes_from_elsewhere() -> None:
    text = render_page(page())
    reader = Reader(text)
    assert not reader.open
    assert not reader.all("script")
    assert not reader.all("link")
    assert reader.text.count(NASTY) == 17
    sources = [image["src"] for image in reader.all("img")]
    assert [source[:18] for source in sources] == ["data:image/png;bas", "data:image/jpeg;ba"]
    assert reader.all("img")[0]["alt"].startswith(NASTY)
    assert all("http" not in str(attributes.get(name)) for _, attributes in reader.tags for name in ("src", "href"))


def test_report_of_a_run(
    command: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With measurements, then without a single real image."""
    monkeypatch.setattr(evaluation, "SHARE", 0.0)
    monkeypatch.setattr(evaluation, "FEWEST", 16)  # another number than the command is given
    monkeypatch.setattr(evaluation, "PROBE", 8)
    run = tmp_path / "run"
    options = [*small, "--evaluate-kimg", "0.016", "--holdout", "0.25"]
    train = ["train", "--data", image_folder, "--out", run, *options]
    assert command(*train, "--kimg", "0.032").code == 0
    assert command("report", run, "--out", tmp_path / "report.html", "--count", "12").code == 0
    reader = Reader((tmp_path / "report.html").read_text())
    titles = ["Generated images", "Real images", "Truncation", "Closest to training images", "Quality along the run",
              "Training"]  # fmt: skip
    assert [image["alt"].split(":")[0] for image in reader.all("img")] == titles
    known = ["18 images, 6 held out", "bright (9), dark (9)", "12 generated images", "against 6 held-out images", "kid"]
    known += ["label_accuracy", "evaluate-kimg", "0.032 thousand images shown", "What was found"]
    known += ["biased for few images (lower is better)", "near_black", "waves of 8 to 16 pixels"]
    for words in known:
        assert words in reader.text
    assert command("report", run, "--out", tmp_path / "private.html", "--count", "12", "--no-real-images").code == 0
    folder = RunFolder(run)
    left = folder.report_file.stat().st_mtime_ns, Reader(folder.report_file.read_text())
    assert [image["alt"].split(":")[0] for image in left[1].all("img")] == titles
    assert f"{folder.read_confirmed()['count']} generated images" in left[1].text
    assert command(*train, "--kimg", "0.032").code == 0
    assert folder.report_file.stat().st_mtime_ns == left[0]
    assert command(*train, "--kimg", "0.04").code == 0
    assert "0.04 thousand images shown" in Reader(folder.report_file.read_text()).text
    private = Reader((tmp_path / "private.html").read_text())
    assert [image["alt"].split(":")[0] for image in private.all("img")] == [titles[0], *titles[2:3], *titles[4:]]
    assert "label_accuracy" in private.text


class CountedPixels(features.Extractor):
    """Two rows of pixels as features."""

    identity, name = "counted pixels", "Pixels"

    def __init__(self, device: torch.device) -> None:
        super().__init__(device)
        self.images = 0

    def _of(self, images: np.ndarray) -> np.ndarray:
        self.images += len(images)
        return images[:, :2, :, 0].reshape(len(images), -1).astype(np.float32) / 255


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The extractors of this test, each of `CountedPixels`, which cost nothing."""
    extractors = []

    def make(name: str, device: torch.device, image_size: tuple[int, int] = (0, 0)) -> CountedPixels:
        extractors.append(CountedPixels(device))
        return extractors[-1]

    monkeypatch.setattr(evaluation, "make_extractor", make)
    monkeypatch.setattr(features, "make_extractor", make)
    return extractors


def test_the_report_of_a_finished_run_is_of_what_was_measured(
    command: Callable[..., Any],
    image_folder: Path,
    tmp_path: Path,
    small: list[str],
    monkeypatch: pytest.MonkeyPatch,
    made: list[Any],
) -> None:
    """No image goes through the network again for it."""
    monkeypatch.setattr(evaluation, "SHARE", 0.0)
    monkeypatch.setattr(evaluation, "FEWEST", 12)
    run = tmp_path / "run"
    train = ["train", "--data", image_folder, "--out", run, *small, "--evaluate-kimg", "0.008", "--kimg", "0.016"]
    assert command(*train).code == 0
    real, probes, measurements = 24, 2 * evaluation.PROBE, 2 + 1  # the last one confirms the best
    assert sum(extractor.images for extractor in made) == real + probes + measurements * 12
    folder = RunFolder(run)
    confirmed = folder.read_confirmed()
    text = Reader(folder.report_file.read_text()).text
    assert "12 generated images" in text
    assert number(confirmed["kid"]) in text
    folder.report_file.unlink()  # as if the process had been killed before it wrote that
    assert command(*train).code == 0
    assert Reader(folder.report_file.read_text()).text == text
    assert made[-1].images == 12  # features of real images are in the cache


def test_report_without_measurements(command: Callable[..., Any], trained_run: Path, tmp_path: Path) -> None:
    assert command("report", trained_run, "--out", tmp_path / "report.html", "--count", "12").code == 0
    reader = Reader((tmp_path / "report.html").read_text())
    assert len(reader.all("img")) == 5
    assert "What was found" in reader.text


@pytest.mark.parametrize("overfitted", ["kept", "later"])
def test_findings_are_of_the_moment_at_which_the_generator_was_kept(
    command: Callable[..., Any], trained_run: Path, tmp_path: Path, made: list[Any], overfitted: str
) -> None:
    """Whether the discriminator knew the training images (p at its cap, r_t near 1) then, not at the end of the run."""
    run = tmp_path / "run"
    shutil.copytree(trained_run, run)
    rows = RunFolder(run).read_log()
    assert rows[-1]["images"] == load_generator(run).info.images_seen == 64
    sure, unsure = {"p": 0.8, "r_t": 0.95}, {"p": 0.1, "r_t": 0.2}
    rows[-1] |= sure if overfitted == "kept" else unsure
    rows.append(rows[-1] | {"images": 72, "kimg": 0.072} | (unsure if overfitted == "kept" else sure))
    RunFolder(run).write_log(rows)
    assert command("report", run, "--out", tmp_path / "report.html", "--count", "12").code == 0
    text = Reader((tmp_path / "report.html").read_text()).text
    assert ("overfitting: the discriminator knows the training images" in text) == (overfitted == "kept")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "report.txt"], "ends in .html"),
        (["--out", "nowhere/report.html"], "there is no folder nowhere"),
    ],
)
def test_bad_names(fails: Callable[..., Any], trained_run: Path, arguments: list[str], message: str) -> None:
    assert message in fails("report", trained_run, *arguments)


def test_report_of_no_run(fails: Callable[..., Any], tmp_path: Path) -> None:
    assert "not a run folder" in fails("report", tmp_path, "--out", tmp_path / "report.html")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_browser_shows_it(tmp_path: Path) -> None:
    """The pictures are decoded and nothing is reported on its console."""
    path = tmp_path / "report.html"
    path.write_text(render_page(page()))
    browser = [shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    options = [f"--user-data-dir={tmp_path}/profile", f"--screenshot={tmp_path}/page.png", "--window-size=800,1200"]
    shot = subprocess.run([*browser, *options, path.as_uri()], check=True, capture_output=True, text=True, timeout=120)
    assert "CONSOLE" not in shot.stderr
    with Image.open(tmp_path / "page.png") as picture:
        pixels = np.asarray(picture.convert("L"))
    assert pixels.std() > 5
