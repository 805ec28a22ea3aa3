"""Whole snapshots in which something is odd: they import, or give a one-line UserError, never another exception."""

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada.errors import UserError
from stylegan_ada.importers import import_snapshot
from stylegan_ada.sampling import load_generator

from .snapshots import EasyDict, Module, discriminator, generator, write_snapshot


def nested(depth: int = 200) -> list[list[list[list[Any]]]]:
    value = []
    for _ in range(depth):
        value = [value]
    return value


def contains_itself() -> dict[str, dict[str, dict[str, dict[Any, Any]]]]:
    value = {}
    value.update(mapping_kwargs=value, synthesis_kwargs=value, x=value)
    return value


ODD_TENSORS = (
    lambda: torch.zeros(()),
    lambda: torch.zeros(0),
    lambda: torch.zeros(0, 2**39),
    lambda: torch.zeros(3, 0, 3, 3),
    lambda: torch.ones(1),
    lambda: torch.ones(4, 4),
    lambda: torch.ones(8, 8, 3, 3).half(),
    lambda: torch.ones(8, 8, 3, 3, dtype=torch.bool),
    lambda: torch.full((16,), 1e300, dtype=torch.float64),
    lambda: torch.full((16, 16), math.nan),
    lambda: torch.ones(7, 12, dtype=torch.int64),
    lambda: torch.ones(1).expand(16),
    lambda: torch.ones(8, 8, 3, 3).permute(3, 2, 1, 0),
    lambda: torch.ones(2, 2, 2, 2, 2, 2, 2, 2, 2),
)
ODD_VALUES = (
    *(lambda value=value: value for value in (None, True, False, 0, -1, 5, 2**64, -(2**127), 2**1000, math.nan)),
    *(
        lambda value=value: value
        for value in (math.inf, -0.0, "", "skip", "lrelu", "\ud800", "a\nb\x1b[31m", "x" * 5000)
    ),
    *(lambda value=value: value for value in (b"", b"x" * 300, (), [], {}, [1, 3, 3, 1], {1: 2}, {"": 1})),
    nested,
    contains_itself,
    lambda: [torch.ones(2)] * 4,
    lambda: np.float64("nan"),
    lambda: Module("MadeUp"),
    lambda: EasyDict(mapping_kwargs={3: 4}, architecture=torch.ones(2)),
)
ODD_NAMES = ("", ".", "b8", "fc0", "fc00", "conv0", "a.b", "x" * 3000, "\ud800", "a\nb", "weight", "\u0663", 7, 2**100)
ODD_NAMES += (
    "mapping.embed",
    "_modules",
    "w_avg",
    "noise_const",
    "L0_36_512",
    "b131072",
    "b2",
    "embed",
    "torgb",
    "fc1",
)


def places(value: Any, found: list[Any]) -> list[Any]:
    """Every (container, key) below a module."""
    if isinstance(value, Module):
        places(value.state, found)
    elif isinstance(value, dict):
        for key, item in value.items():
            found.append((value, key))
            places(item, found)
    return found


def make_odd(network: Any, numbers: Any) -> None:
    """Changes one to three things anywhere in the network."""
    for container, key in numbers.sample(places(network, []), numbers.randint(1, 3)):
        tensor = isinstance(container.get(key), torch.Tensor)
        odd = numbers.choice(ODD_TENSORS if numbers.random() < (0.8 if tensor else 0.1) else ODD_VALUES)()
        match numbers.randrange(5):
            case 0:
                container.pop(key, None)
            case 1:
                container[numbers.choice(ODD_NAMES)] = container.get(key)
            case 2:
                container[numbers.choice(ODD_NAMES)] = odd
            case _:
                container[key] = odd


def tried(tmp_path: Path, **networks: Any) -> bool:
    """Whether it imports. What it writes can be loaded and sampled; what it refuses leaves nothing behind."""
    source, out = tmp_path / "odd.pkl", tmp_path / "out.safetensors"
    write_snapshot(source, **networks)
    lines = []
    try:
        import_snapshot(source, out, say=lines.append)
    except UserError as error:
        lines.append(str(error))
    for line in lines:
        assert line.isprintable()
        assert len(line) < 1000
    assert {path.name for path in tmp_path.iterdir()} <= {"odd.pkl", "out.safetensors"}
    if not out.exists():
        return False
    loaded = load_generator(out)
    z = torch.randn(2, loaded.info.network.z_dim)
    assert loaded.from_z(z, torch.zeros(2, loaded.info.network.c_dim)).isfinite().all()
    out.unlink()
    return True


@pytest.mark.parametrize("seed", range(3))
def test_odd_values_anywhere(tmp_path: Path, seed: int) -> None:
    numbers = random.Random(seed)
    imported = 0
    for _ in range(7):
        c_dim = numbers.choice((0, 2))
        networks = {
            "G_ema": generator(c_dim=c_dim, widths=(4, 4)),
            "D": discriminator(c_dim=c_dim, widths=(4, 4), depth=2),
        }
        make_odd(networks[numbers.choice(tuple(networks))], numbers)
        imported += tried(tmp_path, **networks)
    assert 0 < imported < 7


def put(path: str, kind: str | None = None, **items: Any) -> Callable[..., Any]:
    """Puts items into a module's state, or into a dictionary of it."""

    def change(network: Any) -> None:
        state = network.child(path).state
        (state[kind] if kind else state).update(items)

    return change


def very_large_without_noise(network: Any) -> None:
    blocks = network.child("synthesis").state["_modules"]
    for path in ("b4.conv1", "b8.conv0", "b8.conv1"):
        network.child(f"synthesis.{path}").state["use_noise"] = False
    blocks.update({f"b{4 << level}": blocks["b8"] for level in range(2, 12)})
    network.state["padding"] = b"x" * 100_000  # a file must be as large as its tensors


def without_affine(network: Any) -> None:
    del network.child("synthesis.b8.conv1").state["_modules"]["affine"]


REFUSED = {
    "clamps of many": (put("synthesis.b8.conv0", conv_clamp=torch.ones(2)), "`conv_clamp` is Tensor"),
    "a weight without sides": (put("mapping.fc1", "_parameters", weight=torch.ones(())), "fc1.weight: its shape is a"),
    "arguments within themselves": (put("", "_init_kwargs", **contains_itself()), "arguments within arguments"),
    "numbers as arguments": (put("", "_init_kwargs", mapping_kwargs={3: 4}), "made with 3, and"),
    "taps that are tensors": (put("", "_init_kwargs", resample_filter=[torch.ones(2)] * 4), "is list, only [1, 3, 3"),
    "no strength": (put("synthesis.b8.conv1", "_parameters", noise_strength=torch.ones(0)), "its shape is 0, not a"),
    "strengths": (put("synthesis.b8.conv1", "_parameters", noise_strength=torch.ones(5)), "its shape is 5, not a"),
    "NaN in w": (put("mapping", "_buffers", w_avg=torch.full((16,), math.nan)), "w_avg: NaN or infinite"),
    "infinite in float32": (
        put("synthesis.b4.conv1", "_parameters", bias=torch.full((4,), 1e300, dtype=torch.float64)),
        "conv1.bias: NaN or infinite",
    ),
    "bits": (put("mapping.fc1", "_parameters", weight=torch.ones(16, 16, dtype=torch.bool)), "fc1.weight: whole numb"),
    "no z": (put("mapping.fc0", "_parameters", weight=torch.ones(16, 16)), "z of 0 numbers"),
    "less than no z": (put("mapping.fc0", "_parameters", weight=torch.ones(16, 9)), "z of -7 numbers"),
    "many classes": (put("mapping.embed", "_parameters", weight=torch.ones(16, 100_001)), "100,001 classes"),
    "no classes": (put("mapping.embed", "_parameters", weight=torch.ones(16, 0)), "mapping.embed.weight: it is empty"),
    "large without noise": (very_large_without_noise, "8192 pixels wide, at most 2048 are read"),
    "no affine": (without_affine, "synthesis.b8.conv1.affine.weight: missing"),
    "a name of lines": (put("mapping", "_parameters", **{"a\nb": torch.ones(1)}), "a\\nb is no name"),
    "a name with dots": (put("synthesis", "_parameters", **{"b8.x": torch.ones(1)}), "b8.x is no name"),
    "half a letter": (put("mapping.fc0", "_parameters", **{"\ud800": torch.ones(1)}), "\\ud800 is no name"),
    "a long name": (put("mapping.fc0", "_parameters", **{"x" * 900: torch.ones(1)}), "xxx is no name"),
    "a nameless module": (put("", "_modules", **{"": Module("MadeUp")}), "G_ema:  is no name"),
    "many names": (put("", "_buffers", **{f"n{index}": None for index in range(201)}), "201 names in a module"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_odd_is_refused(tmp_path: Path, name: str) -> None:
    change, reason = REFUSED[name]
    network = generator(c_dim=2, widths=(4, 4))
    for layer in ("fc0", "embed"):
        del network.child(f"mapping.{layer}").state["weight_gain"]  # which would tell the number of inputs
    change(network)
    write_snapshot(tmp_path / "odd.pkl", G_ema=network)
    with pytest.raises(UserError) as caught:
        import_snapshot(tmp_path / "odd.pkl", tmp_path / "out.safetensors", say=lambda line: None)
    assert reason in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_colors_are_read_at_the_top(tmp_path: Path) -> None:
    """A discriminator that reads the image at another resolution is another function."""
    network = discriminator(widths=(4, 4))
    blocks = network.state["_modules"]
    blocks["b4"].state["_modules"]["fromrgb"] = blocks["b8"].state["_modules"].pop("fromrgb")
    write_snapshot(tmp_path / "odd.pkl", G_ema=generator(widths=(4, 4)), D=network)
    lines = []
    import_snapshot(tmp_path / "odd.pkl", tmp_path / "out.safetensors", say=lines.append)
    assert any("D.b8.fromrgb.weight: missing; that network is left out" in line for line in lines)


def test_numbers_shared_by_many_layers(tmp_path: Path) -> None:
    """As two equal networks share them is fine; many large layers of few numbers would fill the memory."""
    network = generator(widths=(64, 64, 64))
    write_snapshot(tmp_path / "equal.pkl", G_ema=network, G=network)
    import_snapshot(tmp_path / "equal.pkl", tmp_path / "equal.safetensors", say=lambda line: None)
    shared = network.child("synthesis.b4.conv1").state["_parameters"]["weight"]
    for path in ("b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"):
        network.child(f"synthesis.{path}").state["_parameters"]["weight"] = shared
    write_snapshot(tmp_path / "many.pkl", G_ema=network)
    with pytest.raises(UserError, match=r"tensors of .* bytes in a file of"):
        import_snapshot(tmp_path / "many.pkl", tmp_path / "many.safetensors", say=lambda line: None)
