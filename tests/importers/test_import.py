"""Imported networks compute what their parameters define."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stylegan_ada.checkpoint import read_beside, read_notes
from stylegan_ada.errors import UserError
from stylegan_ada.importers import import_snapshot
from stylegan_ada.networks import Discriminator
from stylegan_ada.sampling import load_generator

from .oracle import images, logits
from .snapshots import discriminator, generator, write_snapshot


def imported(
    tmp_path: Path, protocol: int = 4, classes: list[str] | None = None, licence: str | None = None, **networks: Any
) -> tuple[Path, list[str]]:
    source, out = tmp_path / "network-snapshot.pkl", tmp_path / "out.safetensors"
    write_snapshot(source, protocol, **networks)
    lines = []
    import_snapshot(source, out, classes, licence, lines.append)
    return out, lines


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("c_dim", [0, 3])
@pytest.mark.parametrize(("channels", "clamp", "fp16"), [(3, None, 0), (1, 1.5, 2)])
def test_images_equal_the_definition_in_float64(
    tmp_path: Path, protocol: int, c_dim: int, channels: int, clamp: float | None, fp16: int
) -> None:
    network = generator(c_dim=c_dim, channels=channels, clamp=clamp, fp16=fp16)
    out, _ = imported(tmp_path, protocol, G_ema=network)
    rng = np.random.default_rng(1)
    z, c = rng.normal(size=(3, 12)), np.eye(c_dim)[[0, 2, 2]] if c_dim else np.zeros((3, 0))
    loaded = load_generator(out)
    for psi in (1.0, 0.6):
        expected = images(network, z, c, psi)
        found = loaded.from_z(torch.from_numpy(z).float(), torch.from_numpy(c).float(), psi, noise="const")
        assert np.abs(found.numpy() - expected).max() < 1e-4
        assert expected.std() > 0.3  # or the comparison says little


@pytest.mark.parametrize("c_dim", [0, 3])
@pytest.mark.parametrize("clamp", [None, 1.5])
def test_logits_equal_the_definition_in_float64(tmp_path: Path, c_dim: int, clamp: float | None) -> None:
    network = discriminator(c_dim=c_dim, clamp=clamp)
    out, _ = imported(tmp_path, G_ema=generator(c_dim=c_dim, clamp=clamp), D=network)
    ours = Discriminator(load_generator(out).info.network)
    ours.load_state_dict(read_beside(out)["discriminator"])
    rng = np.random.default_rng(1)
    x, c = rng.normal(size=(8, 3, 16, 16)), np.eye(c_dim)[[0, 2, 2, 1, 1, 0, 2, 0]] if c_dim else np.zeros((8, 0))
    expected = logits(network, x, c)
    with torch.no_grad():
        found = ours(torch.from_numpy(x).float(), torch.from_numpy(c).float()).numpy()
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_all_three_networks_and_the_licence_are_kept(tmp_path: Path) -> None:
    ema, last = generator(0), generator(5)
    out, lines = imported(tmp_path, G_ema=ema, G=last, D=discriminator(), licence="by permission")
    beside = read_beside(out)
    expected = last.child("synthesis.b8.conv0").state["_parameters"]["weight"]
    assert torch.equal(beside["generator"]["synthesis.blocks.1.layers.0.weight"], expected)
    assert set(beside) == {"generator", "discriminator"}
    assert read_notes(out)["licence"] == "by permission"
    assert "by permission" in read_notes(out)["origin"]
    assert "licence: by permission" in lines


def test_without_a_licence_the_worst_is_said(tmp_path: Path) -> None:
    out, lines = imported(tmp_path, G_ema=generator())
    assert "for research only" in read_notes(out)["licence"]
    assert any("for research only" in line for line in lines)


def test_names_of_classes(tmp_path: Path) -> None:
    out, _ = imported(tmp_path, G_ema=generator(c_dim=2), classes=["good", "bad"])
    assert load_generator(out).classes == ("good", "bad")
    out.unlink()
    out, _ = imported(tmp_path, G_ema=generator(c_dim=2))
    assert load_generator(out).classes == ("0", "1")
    for names in (["one"], ["same", "same"]):
        with pytest.raises(UserError, match="different names for 2 classes"):
            imported(tmp_path, G_ema=generator(c_dim=2), classes=names)


def test_without_noise(tmp_path: Path) -> None:
    network = generator()
    for path in ("b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"):
        layer = network.child(f"synthesis.{path}").state
        layer["use_noise"] = False
        del layer["_parameters"]["noise_strength"], layer["_buffers"]["noise_const"]
    out, _ = imported(tmp_path, G_ema=network)
    for path in ("b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"):
        layer, side = network.child(f"synthesis.{path}").state, int(path.split(".")[0][1:])
        layer["_parameters"]["noise_strength"] = torch.zeros(())
        layer["_buffers"]["noise_const"] = torch.zeros(side, side)
    z = np.random.default_rng(1).normal(size=(2, 12))
    found = load_generator(out).from_z(torch.from_numpy(z).float(), noise="const").numpy()
    assert np.abs(found - images(network, z, np.zeros((2, 0)))).max() < 1e-4


def _set(path: str, **changes: float | str) -> Callable[..., Any]:
    def change(network: Any) -> None:
        network.child(path).state.update(changes)

    return change


def _tensor(path: str, name: str, value: Tensor) -> Callable[..., Any]:
    def change(network: Any) -> None:
        state = network.child(path).state
        kind = "_parameters" if name in state["_parameters"] else "_buffers"
        state[kind][name] = value

    return change


def _argument(**changes: dict[str, Any] | str) -> Callable[..., Any]:
    def change(network: Any) -> None:
        network.state["_init_kwargs"].update(changes)

    return change


def _drop(path: str, name: str) -> Callable[..., Any]:
    def change(network: Any) -> None:
        del network.child(path).state["_parameters"][name]

    return change


REFUSED = {
    "architecture": (_set("synthesis.b8", architecture="resnet"), "`architecture` is resnet, only skip is read"),
    "argument": (_argument(architecture="orig"), "`architecture` is orig"),
    "nested argument": (_argument(synthesis_kwargs={"resample_filter": [1, 2, 1]}), "`resample_filter` is list"),
    "unknown argument": (_argument(new_kind="x"), "made with new_kind, and what that changes is not known"),
    "activation": (_set("synthesis.b8.conv0", activation="swish"), "`activation` is swish, only lrelu is read"),
    "mapping's rate": (_set("mapping.fc1", bias_gain=0.1), "`bias_gain` is 0.1, only 0.01 is read"),
    "mapping's weights": (_set("mapping.fc1", weight_gain=0.5), "`weight_gain` is 0.5"),
    "filter": (
        _tensor("synthesis.b8.conv0", "resample_filter", torch.full((4, 4), 1 / 16)),
        "b8.conv0: `resample_filter` is not",
    ),
    "clamp": (_set("synthesis.b8.conv0", conv_clamp=100), "`conv_clamp` differs"),
    "StyleGAN3": (
        lambda network: network.child("synthesis").state["_modules"].update(L0_36_512=network.child("synthesis.b4")),
        "StyleGAN3's own",
    ),
    "NaN": (
        _tensor("synthesis.b8.conv0", "weight", torch.full((8, 8, 3, 3), torch.nan)),
        "G_ema.synthesis.b8.conv0.weight: NaN or infinite values",
    ),
    "width": (_tensor("synthesis.b16.conv1", "weight", torch.ones(4, 3, 3, 3)), "its shape is 4x3x3x3, not 4x4x3x3"),
    "missing bias": (_drop("synthesis.b16.conv1", "bias"), "missing: synthesis.blocks.2.layers.1.bias"),
    "another parameter": (_tensor("synthesis.b16", "extra", torch.ones(3)), "extra: a parameter that is not known"),
    "no mean of w": (lambda network: network.child("mapping").state["_buffers"].clear(), "mapping.w_avg: missing"),
    "no block": (lambda network: network.child("synthesis").state["_modules"].pop("b8"), "resolutions [4, 16]"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_computes_something_else_is_refused(tmp_path: Path, name: str) -> None:
    change, reason = REFUSED[name]
    network = generator()
    change(network)
    with pytest.raises(UserError) as caught:
        imported(tmp_path, G_ema=network)
    assert reason in str(caught.value)
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("b16", architecture="orig"), "`architecture` is orig, only resnet is read"),
        (_set("b4.mbstd", group_size=32), "`group_size` is 32, only 4 is read"),
        (_argument(epilogue_kwargs={"mbstd_num_channels": 0}), "`mbstd_num_channels` is 0"),
        (_drop("b4.out", "bias"), "missing: out.bias"),
    ],
)
def test_a_discriminator_that_is_not_read_is_left_out(tmp_path: Path, change: Callable[..., Any], reason: str) -> None:
    network = discriminator()
    change(network)
    out, lines = imported(tmp_path, G_ema=generator(), D=network)
    assert any(line.startswith("warning: D") and reason in line and "left out" in line for line in lines)
    assert read_beside(out) == {}
    load_generator(out)


def test_g_must_be_as_g_ema(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="another network than G_ema"):
        imported(tmp_path, G_ema=generator(), G=generator(channels=1))
