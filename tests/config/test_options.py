import dataclasses
import math
from typing import Any

import pytest

from stylegan_ada.config import AugmentConfig, DataConfig, NetworkConfig, TrainingConfig
from stylegan_ada.config.options import CONFIGS, TrainOptions, given, options_of, train_options
from stylegan_ada.errors import UserError

# the keys of options.json in runs of version 0.1: a run goes on only if each is still an option
OF_OLD_RUNS = [
    "data",
    "preset",
    "device",
    "size",
    "fit",
    "no_labels",
    "mirror",
    "holdout",
    "subset",
    "kimg",
    "batch",
    "micro_batch",
    "seed",
    "precision",
    "channel_base",
    "channel_max",
    "mapping_depth",
    "learning_rate",
    "gamma",
    "ema_kimg",
    "augment",
    "augment_extra",
    "ada_signal",
    "ada_target",
    "ada_kimg",
    "ada_max",
    "ada_p",
    "snapshot_kimg",
    "evaluate_kimg",
    "stop_after",
    "tick_kimg",
]


def test_options_of_old_runs() -> None:
    nothing_given = {"data": "x", "preset": "auto", "device": "auto", "no_labels": False}
    options = dataclasses.asdict(TrainOptions(data="x"))
    assert {name: options[name] for name in OF_OLD_RUNS} == dict.fromkeys(OF_OLD_RUNS) | nothing_given
    # newer ones were not given then
    assert all(options[name] in (None, False) for name in options.keys() - set(OF_OLD_RUNS))


def test_every_option_is_a_field_of_one_part_of_the_configuration() -> None:
    options = {field.name: field for field in dataclasses.fields(TrainOptions)}
    of_parts = list(options_of(*CONFIGS))
    assert [option.name for option in of_parts] == [name for name in options if name not in ("preset", "device")]
    for option in of_parts:
        given = options[option.name]
        if option.is_required or option.kind is bool:
            assert given.type is option.kind, option.name
        else:
            assert given.type == option.kind | None, option.name
            assert given.default is None, option.name


def test_given_names_fields() -> None:
    options = TrainOptions(data="x", gamma=0.5, ada_kimg=3, kimg=7)
    assert given(TrainingConfig, options) == {"gamma": 0.5, "kimg": 7}
    assert given(AugmentConfig, options) == {"ada_kimg": 3}


def test_auto_is_no_value_only_where_one_is_chosen() -> None:
    chosen = {"precision", "label_head", "label_depth", "batch", "kimg", "gamma", "ada_target", "ema_kimg",
              "evaluate_kimg", "channel_base", "channel_max"}  # fmt: skip
    for option in options_of(*CONFIGS):
        options = train_options(**{"data": "x", option.name: "auto"})
        expected = None if option.name in chosen else "auto"
        assert getattr(options, option.name) == expected, option.name


def test_none_is_not_given() -> None:
    options = train_options(data="x", **dict.fromkeys([option.name for option in options_of(*CONFIGS)][1:]))
    assert options == train_options(data="x", preset=None, device=None) == TrainOptions(data="x")


def test_types_and_defaults() -> None:
    found = {option.name: option for option in options_of(*CONFIGS)}
    kinds = {"kimg": float, "micro_batch": int, "mirror": str, "augment": str, "augment_extra": str, "no_labels": bool,
             "transition": str}  # fmt: skip
    assert {name: found[name].kind for name in kinds} == kinds
    words = {"ada_kimg": "500", "augment": "blit,geom,color", "batch": "chosen by the size and the device", "seed": "0"}
    assert {name: found[name].default for name in words} == words
    assert [name for name, option in found.items() if option.is_required] == ["data"]


@pytest.mark.parametrize(
    ("config", "field", "allowed", "refused", "message"),
    [
        (DataConfig, "holdout", (0, 0.5), (-0.01, 0.51, math.nan), "`holdout` {}: give a fraction from 0 to 0.5"),
        (DataConfig, "subset", (None, 2), (1,), "`subset` {}: give 2 or more"),
        (NetworkConfig, "channels", (1, 4), (0, 5), "NetworkConfig.channels {}: give 1 to 4"),
        (NetworkConfig, "mapping_depth", (1,), (0,), "`mapping_depth` {}: give 1 or more"),
        (NetworkConfig, "channel_max", (1,), (0,), "`channel_max` {}: give 1 or more"),
        (
            AugmentConfig,
            "ada_target",
            (-0.99, 0.99),
            (-1, 1, math.nan),
            "`ada_target` {}: give a value between -1 and 1",
        ),
        (AugmentConfig, "ada_kimg", (1e-9,), (0, math.inf, math.nan), "`ada_kimg` {}: give more than 0"),
        (AugmentConfig, "ada_max", (0, 1), (-0.1, 1.1), "`ada_max` {}: give a probability from 0 to 1"),
        (AugmentConfig, "ada_p", (None, 0, 1), (-0.1, 1.1), "`ada_p` {}: give a probability from 0 to 1"),
        (TrainingConfig, "kimg", (1e-9,), (0, math.inf, math.nan), "`kimg` {}: give more than 0"),
        (TrainingConfig, "seed", (0, 2**63 - 1), (-1, 2**63), "`seed` {}: give a whole number from 0 to 2^63 - 1"),
        (TrainingConfig, "learning_rate", (0.5,), (0, 1), "`learning_rate` {}: give a rate between 0 and 1"),
        (TrainingConfig, "ema_kimg", (0,), (-1, math.inf), "`ema_kimg` {}: give 0 or more"),
        (TrainingConfig, "batch", (1,), (0,), "`batch` {}: give 1 or more"),
        (TrainingConfig, "micro_batch", (None, 1), (0,), "`micro_batch` {}: give 1 or more"),
        (TrainingConfig, "pl_batch_shrink", (1,), (0,), "TrainingConfig.pl_batch_shrink {}: give 1 or more"),
        (TrainingConfig, "gamma", (0,), (-1, math.inf), "`gamma` {}: give 0 or more"),
        (TrainingConfig, "snapshot_kimg", (1e-9,), (0, math.inf), "`snapshot_kimg` {}: give more than 0"),
        (TrainingConfig, "tick_kimg", (1e-9,), (0, math.inf), "`tick_kimg` {}: give more than 0"),
        (TrainingConfig, "evaluate_kimg", (0,), (-1, math.inf), "`evaluate_kimg` {}: give 0 or more"),
        (TrainingConfig, "stop_after", (None, 1), (0,), "`stop_after` {}: give 1 or more"),
    ],
)
def test_ranges(config: type, field: str, allowed: tuple[Any, ...], refused: tuple[Any, ...], message: str) -> None:
    needed = {
        DataConfig: {"data": "x"},
        NetworkConfig: {"channels": 1, "height": 8, "width": 8},
        AugmentConfig: {},
        TrainingConfig: {"kimg": 1.0, "evaluate_kimg": 1.0 if field == "stop_after" else 0.0},
    }[config]
    for value in allowed:
        assert getattr(config(**needed | {field: value}), field) == value
    for value in refused:
        with pytest.raises(UserError) as caught:
            config(**needed | {field: value})
        assert str(caught.value) == message.format(value)


@pytest.mark.parametrize(
    ("config", "values", "named"),
    [
        (DataConfig, {"data": "x", "fit": "crap"}, "`fit` crap"),
        (DataConfig, {"data": "x", "mirror": "quarters"}, "`mirror` quarters"),
        (NetworkConfig, {"channels": 1, "height": 8, "width": 8, "precision": "fp23"}, "`precision` fp23"),
        (AugmentConfig, {"ada_signal": "rtt"}, "`ada_signal` rtt"),
        (AugmentConfig, {"augment": ("geom", "blot")}, "`augment` blot"),
    ],
)
def test_choices(config: type, values: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=f"^{named}: no such choice, did you mean"):
        config(**values)
