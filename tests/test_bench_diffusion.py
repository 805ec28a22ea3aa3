"""The diffusion model beside which a GAN is measured, and the examples that distil one, at a tiny size."""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch import Tensor

from stylegan_ada.datasets import load_dataset


@pytest.fixture(scope="module", autouse=True)
def _from_the_root(root: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root)
        yield


class Knowing(torch.nn.Module):
    """What a U-Net would be that knows of each class the one image that there is: its v is exact at every time step."""

    def __init__(self, known: Tensor):
        """known: [classes + 1, C, H, W], of no class the last."""
        super().__init__()
        from diffusers import DDPMScheduler

        from tests.bench.diffusion.teacher import SCHEDULE

        self.known, self.alphas = known, DDPMScheduler(**SCHEDULE).alphas_cumprod
        self.asked: list[int] = []
        classes, channels, height, width = known.shape
        self.config = SimpleNamespace(sample_size=(height, width), in_channels=channels, num_class_embeds=classes)

    def forward(self, noisy: Tensor, time_step: Any, labels: Tensor) -> Any:
        self.asked.append(int(time_step))
        alpha, sigma = self.alphas[time_step].sqrt(), (1 - self.alphas[time_step]).sqrt()
        noise = (noisy - alpha * self.known[labels]) / sigma
        return SimpleNamespace(sample=alpha * noise - sigma * self.known[labels])


@pytest.fixture
def known() -> Tensor:
    """Of two classes, and of none."""
    return torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0)) - 0.5


@pytest.mark.parametrize("solver", ["ddim", "dpm"])
@pytest.mark.parametrize(("steps", "times"), [(1, [999]), (4, [999, 749, 499, 249]), (20, list(range(999, 0, -50)))])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_a_network_that_knows_the_images_is_led_to_them(
    known: Tensor, solver: str, steps: int, times: list[int], guidance: float
) -> None:
    """v is linear in the image, and so is guidance: the image is that of no class, plus w times the difference."""
    from tests.bench.diffusion.sampling import sample

    network = Knowing(known)
    made = sample(network, [3, 4], torch.tensor([0, 1]), solver=solver, steps=steps, guidance=guidance)
    expected = known[2] + guidance * (known[:2] - known[2])
    torch.testing.assert_close(made, expected, atol=0.02, rtol=0)
    assert network.asked == (times if guidance == 1 else [time for time in times for _ in range(2)])


def test_steps_that_do_not_divide_the_schedule_are_refused(known: Tensor) -> None:
    from tests.bench.diffusion.sampling import sample

    with pytest.raises(ValueError, match="3 steps: give a divisor of 1000"):
        sample(Knowing(known), [3], torch.tensor([0]), solver="ddim", steps=3)


def test_a_seed_is_the_noise_that_an_image_begins_with(known: Tensor) -> None:
    from tests.bench.diffusion.sampling import start_noise

    noise = start_noise(Knowing(known), [3, 4])
    assert not torch.equal(noise[0], noise[1])
    assert torch.equal(start_noise(Knowing(known), [4])[0], noise[1])


def test_one_step_is_the_image_that_the_network_sees(known: Tensor) -> None:
    from tests.bench.diffusion.sampling import one_step

    made = one_step(Knowing(known), torch.randn(2, 1, 8, 8), torch.tensor([0, 1]))
    torch.testing.assert_close(made, known[:2], atol=0.02, rtol=0)


def test_the_moments_at_which_a_network_is_kept() -> None:
    from tests.bench.diffusion.teacher import Moments

    moments = Moments(minutes=(1, 2), kimg=(0.5,))
    assert moments.passed(61, 499) == {"1min": True, "2min": False, "0.5kimg": False}
    assert moments.passed(0, 500) == {"1min": False, "2min": False, "0.5kimg": True}


def test_a_part_of_a_set_has_every_class_in_its_share(image_folder: Path, tmp_path: Path) -> None:
    from tests.bench.diffusion.subset import indices_in, write_subset

    dataset = load_dataset(str(image_folder))
    write_subset(dataset, 10, tmp_path / "part")
    part = load_dataset(str(tmp_path / "part"))
    assert np.bincount(part.labels).tolist() == [5, 5]
    indices = indices_in(tmp_path / "part")
    assert {image.tobytes() for image in part.images} == {dataset.images[index].tobytes() for index in indices}


@pytest.fixture(scope="module")
def made(image_folder: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the commands make of a tiny set, one after the other."""
    from tests.bench.diffusion.__main__ import main

    folder = tmp_path_factory.mktemp("diffusion")
    data = ("--data", str(image_folder), "--size", "16")

    def run(*arguments: str) -> None:
        done = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
        assert done.exit_code == 0, done.output

    run("train", *data, "--channels", "32,32", "--kimg", "0.032,0.064", "--mirror", "h", "--out", f"{folder}/ddpm")
    teacher = folder / "ddpm" / "0.064kimg"
    for script, out in (("distil.py", "student"), ("add.py", "student-add")):
        example = root / "docs" / "examples" / script
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [str(example), str(image_folder), "16", str(teacher), f"{folder}/{out}", "0.05"])
            runpy.run_path(str(example), run_name="__main__")
    some = ("--count", "12")
    run("sample", str(teacher), *data, *some, "--solver", "dpm", "--steps", "2", "--out", f"{folder}/dpm.npz")
    run("sample", f"{folder}/student", *data, *some, "--solver", "one", "--out", f"{folder}/student.npz")
    files = (f"{folder}/dpm.npz", f"{folder}/student.npz")
    run("judge", *files, *data, "--out", f"{folder}/figures.json")
    run("sheet", *files, *data, "--columns", "3", "--real", "--out", f"{folder}/sheet.png")
    return folder


def test_networks_are_kept_when_asked(made: Path) -> None:
    assert {path.name for path in (made / "ddpm").iterdir()} == {"0.032kimg", "0.064kimg"}


@pytest.mark.parametrize("out", ["student", "student-add"])
def test_a_distilled_student_is_another_network(made: Path, out: str) -> None:
    from tests.bench.diffusion.teacher import load_unet

    teacher, student = load_unet(made / "ddpm" / "0.064kimg"), load_unet(made / out)
    assert any(not torch.equal(a, b) for a, b in zip(teacher.parameters(), student.parameters(), strict=True))


def test_figures_of_both_networks(made: Path) -> None:
    figures = json.loads((made / "figures.json").read_text())
    assert set(figures) == {"dpm", "student"}
    for row in figures.values():
        assert {"lite0/fid", "vgg/fid", "lite0/copies", "vgg/recall", "pixels/contrast"} <= set(row)
        assert row["seconds_1"] > 0
        # two steps of a network that learned nothing, of 64 images: noise
        assert row["lite0/coverage"] < 0.5


def test_a_sheet_of_real_and_made_images(made: Path) -> None:
    with Image.open(made / "sheet.png") as sheet:
        width, height = sheet.size
    assert height == 6 * 64  # two classes of three sets, enlarged to 64 pixels
    assert width > 3 * 64


def test_the_page_shows_the_example(root: Path) -> None:
    example = (root / "docs" / "examples" / "distil.py").read_text()
    assert f"```python\n{example}```" in (root / "docs" / "adversarial-loss.md").read_text()


def test_the_package_never_imports_diffusers(root: Path) -> None:
    for folder in ("stylegan_ada", "augment", "datasets"):
        for file in (root / folder).rglob("*.py"):
            assert "diffusers" not in file.read_text(), file
