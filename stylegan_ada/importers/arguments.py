"""The arguments of a stored network's constructors that change its mathematics: read, or refused with the reason.

Names are those of the public constructors. Arguments that matter in training alone are let through.
"""

import math
import re
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError, shown
from ..networks.layers import RESAMPLING_TAPS
from ..ops import setup_filter
from .stored_network import StoredNetwork

TRAINING_ONLY = ("w_avg_beta", "freeze_layers", "fp16_channels_last", "fused_modconv_default")
FROM_SHAPES = (  # read from the tensors themselves
    *("z_dim", "c_dim", "w_dim", "cmap_dim", "num_ws", "img_resolution", "img_channels", "num_layers"),
    *("embed_features", "layer_features", "channel_base", "channel_max", "num_fp16_res"),
)
CHECKED = ("conv_clamp", "architecture", "resample_filter", "activation", "use_noise", "lr_multiplier")
MINIBATCH = ("mbstd_group_size", "mbstd_num_channels")
NESTED = ("mapping_kwargs", "synthesis_kwargs", "block_kwargs", "epilogue_kwargs")

LRELU = r"mapping\.fc\d+|(synthesis\.)?b\d+\.(conv|conv0|conv1|fc|fromrgb)"
LINEAR = r"mapping\.embed|synthesis\.b\d+\.(conv0|conv1|torgb)\.affine|b\d+\.(skip|out)"
MAPPING = r"mapping\.fc\d+"
EXPECTED: tuple[tuple[str, str, Any], ...] = (  # modules, an attribute or argument of theirs, the value that is read
    (LRELU, "activation", "lrelu"),
    (LINEAR, "activation", "linear"),
    (MAPPING, "bias_gain", 0.01),
    (MAPPING, "lr_multiplier", 0.01),
    (r"mapping\.embed|.*\.affine|b4\.(fc|out)", "bias_gain", 1.0),
    (r"(synthesis\.)?b\d+\.(conv|conv0|conv1|fromrgb)", "act_gain", math.sqrt(2)),
    (r"synthesis\.b\d+", "architecture", "skip"),
    (r"b\d+", "architecture", "resnet"),
    (r"b\d+\.skip", "conv_clamp", None),
    (r"b4\.mbstd", "group_size", 4),
    (r"b4\.mbstd", "num_channels", 1),
)
EXPECTED_ARGUMENTS = {
    "activation": "lrelu",
    "lr_multiplier": 0.01,
    "mbstd_group_size": 4,
    "mbstd_num_channels": 1,
}


def check_arguments(stored: StoredNetwork, name: str, architecture: str) -> None:
    """Raises UserError for a network, called `name`, that computes something else than ours from its parameters.

    architecture: that of its blocks, "skip" of a generator and "resnet" of a discriminator.
    """
    _check_network_arguments(stored.arguments[""], name, architecture)
    for module in stored.attributes:
        for pattern, attribute, expected in EXPECTED:
            if re.fullmatch(pattern, module):
                found = stored.setting(module, attribute, expected)
                if not _same(found, expected):
                    raise _refused(f"{name}.{module}", attribute, found, expected)
        _check_weight_gain(stored, name, module)
        _check_filter(stored.tensors.get(f"{module}.resample_filter"), f"{name}.{module}")


def clamp_of(stored: StoredNetwork, name: str) -> float | None:
    """The bound on activations, the same in all layers; None for no bound."""
    found = [
        stored.setting(module, "conv_clamp", None)
        for module in stored.attributes
        if re.fullmatch(r"(synthesis\.)?b\d+\.(conv|conv0|conv1|torgb|fromrgb)", module)
    ]
    for clamp in found:
        if clamp is not None and (type(clamp) not in (int, float) or not 0 < clamp < math.inf):
            raise _refused(name, "conv_clamp", clamp, "a number above 0, or none")
    if len(set(found)) > 1:
        raise UserError(f"{name}: `conv_clamp` differs between its layers, which is not read")
    return None if not found or found[0] is None else float(found[0])


def half_blocks(stored: StoredNetwork) -> int:
    """The number of blocks that compute in float16."""
    return sum(stored.setting(module, "use_fp16", False) is True for module in stored.attributes)


def _check_network_arguments(arguments: dict[Any, Any], name: str, architecture: str, depth: int = 0) -> None:
    """Checks the arguments of the network itself, and those that it hands on."""
    if depth > 3:
        raise UserError(f"{name}: it was made with arguments within arguments within arguments, which is not read")
    for key, value in arguments.items():
        if key in NESTED and type(value) is dict:
            _check_network_arguments(value, name, architecture, depth + 1)
        elif key not in (*TRAINING_ONLY, *FROM_SHAPES, *CHECKED, *MINIBATCH, *NESTED):
            raise UserError(f"{name}: it was made with {shown(str(key)[:50])}, and what that changes is not known here")
        elif key == "architecture" and not _same(value, architecture):
            raise _refused(name, key, value, architecture)
        elif key == "resample_filter" and not _same(value, list(RESAMPLING_TAPS)):
            raise _refused(name, key, value, list(RESAMPLING_TAPS))
        elif key in EXPECTED_ARGUMENTS and value is not None and not _same(value, EXPECTED_ARGUMENTS[key]):
            raise _refused(name, key, value, EXPECTED_ARGUMENTS[key])


def _check_weight_gain(stored: StoredNetwork, name: str, module: str) -> None:
    """Weights of equalised learning rates are scaled by rate / sqrt(fan-in)."""
    gain = stored.attributes[module].get("weight_gain")
    weight = stored.tensors.get(f"{module}.weight")
    if gain is None or weight is None or weight.numel() == 0 or weight.ndim == 0:
        return
    expected = (0.01 if re.fullmatch(MAPPING, module) else 1.0) / math.sqrt(weight[0].numel())
    if not _same(gain, expected):
        raise _refused(f"{name}.{module}", "weight_gain", gain, expected)


def _check_filter(found: Tensor | None, where: str) -> None:
    ours = setup_filter(RESAMPLING_TAPS)
    if found is not None and (found.shape != ours.shape or not torch.allclose(found.float(), ours, atol=1e-6)):
        raise UserError(f"{where}: `resample_filter` is not [1, 3, 3, 1], the only one that is read")


def _same(found: Any, expected: Any) -> bool:
    """Compares plain values only: tensors have no truth, and a nested list may be a million levels deep."""
    if type(expected) is list:
        return type(found) in (list, tuple) and len(found) == len(expected) and all(map(_same, found, expected))
    if type(expected) is float:
        return type(found) in (int, float) and math.isclose(found, expected, rel_tol=1e-4)
    return (found is None or type(found) in (str, int, float)) and found == expected


def _refused(where: str, argument: str, found: Any, expected: Any) -> UserError:
    value = shown(str(found)[:50]) if type(found) in (str, int, float, bool) else type(found).__name__
    return UserError(f"{where}: `{argument}` is {value}, only {expected} is read")
