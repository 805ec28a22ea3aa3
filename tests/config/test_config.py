import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from stylegan_ada.config import AugmentConfig, DataConfig, NetworkConfig, RunConfig, TrainingConfig
from stylegan_ada.config.json import from_json, to_json
from stylegan_ada.config.network import block_shapes
from stylegan_ada.errors import UserError


def allowed(height: int, width: int) -> list[Any]:
    """The rule of the issue, by trying all factors."""
    return [
        (a, b, n)
        for n in range(12)
        for a in range(4, 33)
        for b in range(4, 33)
        if (a << n, b << n) == (height, width) and 4 <= min(a, b) <= 7
    ]


def test_exactly_the_allowed_sizes_can_be_built() -> None:
    for height in range(1, 140):
        for width in (4, 7, 16, 24, 30, 32, 56, 64, 96, 128, height):
            ways = allowed(height, width)
            if not ways:
                with pytest.raises(UserError, match="nearest size"):
                    block_shapes(height, width)
                continue
            ((a, b, n),) = ways
            assert block_shapes(height, width) == [(a << k, b << k) for k in range(n + 1)]


def test_nearest_size_can_be_built() -> None:
    for height, width in ((50, 50), (100, 30), (300, 300), (1, 1), (64, 1000), (33, 4), (31, 250)):
        with pytest.raises(UserError) as caught:
            block_shapes(height, width)
        nearest = str(caught.value).split("nearest size is ")[1].split()[0]
        block_shapes(*map(int, nearest.split("x")))


@pytest.fixture
def config() -> RunConfig:
    return RunConfig(
        data=DataConfig(data="x", mirror="hv"),
        network=NetworkConfig(channels=1, height=32, width=48, c_dim=2),
        augment=AugmentConfig(augment=("blit", "noise"), ada_p=0.5),
        training=TrainingConfig(kimg=3, micro_batch=None),
        classes=("a", "b"),
        fingerprint="f",
    )


def test_json_gives_the_same_config(config: RunConfig) -> None:
    assert from_json(RunConfig, to_json(config)) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["training"].update(bach=3), r"RunConfig.training: unknown key 'bach', did you mean 'batch'\?"),
        (lambda d: d["training"].update(batch="32"), r"RunConfig.training.batch: '32' is not of type int"),
        (lambda d: d["training"].update(batch=True), r"True is not of type int"),
        (lambda d: d["data"].pop("data"), r"the key 'data' is missing"),
        (lambda d: d.update(network=[]), r"RunConfig.network: \[\] is not an object"),
        (lambda d: d["augment"].update(augment=["blot"]), r"did you mean 'blit'\?"),
        (lambda d: d["network"].update(height=50), r"nearest size"),
    ],
)
def test_wrong_json_is_named(config: RunConfig, change: Callable[..., Any], message: str) -> None:
    values = json.loads(to_json(config))
    change(values)
    with pytest.raises(UserError, match=message):
        from_json(RunConfig, json.dumps(values))


def test_json_that_is_none() -> None:
    with pytest.raises(UserError, match="not valid JSON"):
        from_json(RunConfig, "{")


def test_configs_are_frozen(config: RunConfig) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.training.batch = 3


def test_block_channels_halve_upwards() -> None:
    net = NetworkConfig(channels=3, height=256, width=256, channel_base=16384, channel_max=512)
    assert [net.block_channels(level) for level in range(7)] == [512, 512, 512, 512, 256, 128, 64]


def test_only_top_resolutions_are_half() -> None:
    net = NetworkConfig(channels=3, height=256, width=256, precision="fp16", half_resolutions=4)
    assert [net.is_half(level) for level in range(7)] == [False, False, False, True, True, True, True]
    low = NetworkConfig(channels=3, height=16, width=16, precision="bf16", half_resolutions=4)
    assert [low.is_half(level) for level in range(3)] == [False, True, True]
