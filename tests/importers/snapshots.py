"""Files in the form of StyleGAN2-ADA's network-snapshot.pkl, with made-up classes, source text and weights."""

import pickle
import sys
import types
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

FIR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def _reconstruct_persistent_obj(meta: Any) -> None:
    raise AssertionError("the reader must not call this")


class EasyDict(dict):
    pass


_reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
EasyDict.__module__ = "dnnlib.util"


@contextmanager
def made_up_modules() -> Iterator[Any]:
    """pickle writes a function by its name, if it finds it under that name."""
    made = {}
    for name, attribute in (("torch_utils.persistence", _reconstruct_persistent_obj), ("dnnlib.util", EasyDict)):
        package, _, _ = name.partition(".")
        made[package], made[name] = types.ModuleType(package), types.ModuleType(name)
        setattr(made[name], attribute.__name__, attribute)
    before = {name: sys.modules.get(name) for name in made}
    sys.modules.update(made)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


class Module:
    """Pickled as the persistent objects of such files are: by class name, source text and state."""

    def __init__(
        self,
        class_name: str,
        tensors: dict[str, Any] | tuple[()] = (),
        children: dict[str, "Module"] | tuple[()] = (),
        arguments: dict[str, EasyDict | int] | tuple[()] = (),
        **attributes: float | np.float64 | str | None,
    ) -> None:
        self.class_name = class_name
        tensors = dict(tensors)
        buffers = ("resample_filter", "noise_const", "w_avg")
        self.state = {
            "training": False,
            "_parameters": OrderedDict(
                (name, torch.nn.Parameter(value, requires_grad=False))
                for name, value in tensors.items()
                if name not in buffers
            ),
            "_buffers": OrderedDict((name, value) for name, value in tensors.items() if name in buffers),
            "_non_persistent_buffers_set": set(),
            "_backward_hooks": OrderedDict(),
            "_modules": OrderedDict(children),
            "_init_args": (),
            "_init_kwargs": EasyDict(arguments),
            **attributes,
        }

    def child(self, path: str) -> "Module":
        return self if not path else self.state["_modules"][path.split(".")[0]].child(".".join(path.split(".")[1:]))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[dict[str, Any]]]:
        meta = {
            "type": "class",
            "version": 6,
            "module_src": "raise SystemExit('this source must not run')",
            "class_name": self.class_name,
            "state": self.state,
        }
        return _reconstruct_persistent_obj, (meta,)


def write_snapshot(path: Path, protocol: int = 4, **networks: Module) -> None:
    """The file of networks by name (G, D, G_ema)."""
    with made_up_modules(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # typed storages are deprecated; such files hold them
        content = {"training_set_kwargs": EasyDict(path="/somewhere", use_labels=True), **networks}
        path.write_bytes(pickle.dumps(content, protocol=protocol))


def generator(
    seed: int = 0,
    *,
    resolution: int = 16,
    c_dim: int = 0,
    channels: int = 3,
    widths: tuple[Any, ...] = (8, 8, 4),
    w_dim: int = 16,
    z_dim: int = 12,
    depth: int = 3,
    clamp: float | None = None,
    fp16: int = 0,
) -> Module:
    """A generator with random weights: everything that could be 0 or 1 is neither."""
    rng = np.random.default_rng(seed)

    def t(*shape: int, mean: float = 0.0, scale: float = 1.0) -> Tensor:
        return torch.from_numpy(rng.normal(mean, scale, shape)).float()

    fir = torch.from_numpy(FIR).float()

    def dense(inputs: int, outputs: int, activation: str, rate: float = 1.0, bias: float = 0.0) -> Module:
        return Module(
            "MadeUpDense",
            {"weight": t(outputs, inputs, scale=1 / rate), "bias": t(outputs, mean=bias, scale=0.3 / rate)},
            activation=activation,
            weight_gain=np.float64(rate / np.sqrt(inputs)),
            bias_gain=rate,
        )

    mapping = {
        f"fc{i}": dense(z_dim + w_dim * (c_dim > 0) if i == 0 else w_dim, w_dim, "lrelu", 0.01) for i in range(depth)
    }
    if c_dim:
        mapping["embed"] = dense(c_dim, w_dim, "linear")
    blocks = {}
    for level, side in enumerate(4 << level for level in range(len(widths))):
        width, below = widths[level], widths[max(level - 1, 0)]

        def layer(inputs: int, outputs: int, side: int, up: int) -> Module:
            return Module(
                "MadeUpLayer",
                {
                    "weight": t(outputs, inputs, 3, 3),
                    "bias": t(outputs, scale=0.2),
                    "noise_strength": t(scale=0.5),
                    "noise_const": t(side, side),
                    "resample_filter": fir,
                },
                {"affine": dense(w_dim, inputs, "linear", bias=1.0)},
                activation="lrelu",
                act_gain=np.sqrt(2),
                use_noise=True,
                up=up,
                conv_clamp=clamp,
            )

        children = {"conv1": layer(width, width, side, 1)}
        if level:
            children["conv0"] = layer(below, width, side, 2)
        children["torgb"] = Module(
            "MadeUpRGB",
            {"weight": t(channels, width, 1, 1), "bias": t(channels, scale=0.2)},
            {"affine": dense(w_dim, width, "linear", bias=1.0)},
            conv_clamp=clamp,
            weight_gain=1 / np.sqrt(width),
        )
        tensors = {"resample_filter": fir} | ({} if level else {"const": t(width, 4, 4)})
        blocks[f"b{side}"] = Module(
            "MadeUpBlock", tensors, children, architecture="skip", use_fp16=level >= len(widths) - fp16, resolution=side
        )
    return Module(
        "MadeUpGenerator",
        {},
        {
            "synthesis": Module("MadeUpSynthesis", {}, blocks),
            "mapping": Module("MadeUpMapping", {"w_avg": t(w_dim)}, mapping, w_avg_beta=0.995),
        },
        {
            "z_dim": z_dim,
            "c_dim": c_dim,
            "w_dim": w_dim,
            "img_resolution": 4 << (len(widths) - 1),
            "img_channels": channels,
            "mapping_kwargs": EasyDict(num_layers=depth),
            "synthesis_kwargs": EasyDict(channel_base=64, channel_max=8, num_fp16_res=fp16, conv_clamp=clamp),
        },
    )


def discriminator(
    seed: int = 1,
    *,
    c_dim: int = 0,
    channels: int = 3,
    widths: tuple[Any, ...] = (8, 8, 4),
    depth: int = 8,
    clamp: float | None = None,
) -> Module:
    """A discriminator with random weights."""
    rng = np.random.default_rng(seed)

    def t(*shape: int) -> Tensor:
        return torch.from_numpy(rng.normal(0, 1, shape)).float()

    fir = torch.from_numpy(FIR).float()

    def conv(inputs: int, outputs: int, kernel: int, activation: str = "lrelu", bias: bool = True) -> Module:
        tensors = {"weight": t(outputs, inputs, kernel, kernel), "resample_filter": fir}
        return Module(
            "MadeUpConv",
            tensors | ({"bias": t(outputs)} if bias else {}),
            activation=activation,
            conv_clamp=clamp if bias else None,
        )

    def dense(inputs: int, outputs: int, activation: str, rate: float = 1.0) -> Module:
        tensors = {"weight": t(outputs, inputs) / rate, "bias": t(outputs) / rate}
        return Module("MadeUpDense", tensors, activation=activation, bias_gain=rate)

    lowest, top = widths[0], len(widths) - 1
    blocks = {}
    for level in range(top, 0, -1):
        width, below = widths[level], widths[level - 1]
        children = {
            "conv0": conv(width, width, 3),
            "conv1": conv(width, below, 3),
            "skip": conv(width, below, 1, "linear", False),
        }
        if level == top:
            children["fromrgb"] = conv(channels, width, 1)
        blocks[f"b{4 << level}"] = Module("MadeUpBlock", {"resample_filter": fir}, children, architecture="resnet")
    blocks["b4"] = Module(
        "MadeUpEnd",
        {},
        {
            "mbstd": Module("MadeUpStd", group_size=4, num_channels=1),
            "conv": conv(lowest + 1, lowest, 3),
            "fc": dense(lowest * 16, lowest, "lrelu"),
            "out": dense(lowest, lowest if c_dim else 1, "linear"),
        },
        architecture="resnet",
    )
    if c_dim:
        layers = {f"fc{i}": dense(lowest, lowest, "lrelu", 0.01) for i in range(depth)}
        blocks["mapping"] = Module("MadeUpMapping", {}, layers | {"embed": dense(c_dim, lowest, "linear")})
    arguments = {"c_dim": c_dim, "architecture": "resnet", "epilogue_kwargs": EasyDict(mbstd_group_size=4)}
    return Module("MadeUpDiscriminator", {}, blocks, arguments)
