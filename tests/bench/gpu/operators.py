"""The operators by themselves: against a copy of the same bytes, what a call costs the CPU, and compiled by torch."""

import os
from collections.abc import Callable
from unittest.mock import patch

import torch
from torch import Tensor

from stylegan_ada.ops import bias_act, setup_filter, upfirdn2d
from stylegan_ada.ops.implementation import ENVIRONMENT_VARIABLE

from .rows import Rows
from .timing import DTYPES, attempt, call_seconds, device_seconds, eager_seconds, side_stream

Call = Callable[[Tensor], Tensor]
BATCH = 16
SHAPES = ((128, 256, "bf16"), (64, 256, "bf16"), (256, 128, "bf16"), (512, 64, "bf16"), (128, 256, "fp32"))


def cases(device: torch.device) -> dict[str, tuple[Call, Tensor, int]]:
    """An operator, its input, and how many tensors as large as its result its backward pass moves at least.

    The filter after an up-convolution, whose rows have one pixel more than the side, or two as on a GPU; bias_act."""
    f = setup_filter([1, 3, 3, 1]).to(device)
    found: dict[str, tuple[Call, Tensor, int]] = {}
    for shape in SHAPES:
        channels, side, dtype = shape
        if device.type == "cpu":
            channels, side = channels // 32, side // 16

        def noise(width: int, c: int = channels, h: int = side, dtype: str = dtype) -> Tensor:
            return torch.randn(BATCH, c, h + 1, width, device=device).to(DTYPES[dtype])

        for width, padding in ((side + 1, (1, 1, 1, 1)), (side + 2, (1, 0, 1, 1))):
            x = noise(width)
            found[named("filter", x, dtype)] = (lambda x, p=padding: upfirdn2d(x, f, padding=p), x, 2)
        for width in (side, side + 1) if shape in (SHAPES[0], SHAPES[-1]) else ():
            x, b = noise(width), torch.randn(channels, device=device).to(DTYPES[dtype])
            found[named("lrelu", x, dtype)] = (lambda x, b=b: bias_act(x, b, act="lrelu"), x, 3)
    return found


def named(name: str, x: Tensor, dtype: str) -> str:
    return f"{name} {'x'.join(map(str, x.shape))} {dtype}"


def operators(rows: Rows, device: torch.device) -> None:
    with side_stream(device):
        for name, (call, x, tensors) in cases(device).items():
            with attempt(rows, name):
                against_copy(rows, name, call, x, tensors, device)


def against_copy(rows: Rows, name: str, call: Call, x: Tensor, tensors: int, device: torch.device) -> None:
    """Rows of the copy's speed that is reached, with milliseconds and bytes."""
    x = x.detach().requires_grad_()
    y = call(x)
    g = torch.randn_like(y)
    moved = (x.numel() + y.numel()) * x.element_size()

    def forward() -> None:
        with torch.no_grad():
            call(x)

    def backward() -> None:
        torch.autograd.grad(y, x, g, retain_graph=True)

    more = (tensors - 2) * y.numel() * x.element_size()
    for way, function, count in (("forward", forward, moved), ("backward", backward, moved + more)):
        source = torch.zeros(count // 2, dtype=torch.uint8, device=device)
        target = torch.empty_like(source)
        copy = device_seconds(lambda source=source, target=target: target.copy_(source), device)
        taken = device_seconds(function, device)
        rows.value(f"{name} {way}", copy / taken, "of a copy's speed", ms=taken * 1000, bytes=count)


def host(rows: Rows, device: torch.device) -> None:
    """Microseconds of the CPU per call, with a device that has next to nothing to do."""
    x, b = torch.zeros(1, 8, 4, 4, device=device, requires_grad=True), torch.zeros(8, device=device)
    f = setup_filter([1, 3, 3, 1]).to(device)
    calls: dict[str, Callable[[], Tensor]] = {
        "bias_act": lambda: bias_act(x, b, act="lrelu"),
        "upfirdn2d": lambda: upfirdn2d(x, f, padding=(2, 1, 2, 1)),
        "torch's leaky_relu": lambda: torch.nn.functional.leaky_relu(x, 0.2),
    }
    for name, call in calls.items():
        with attempt(rows, name):
            rows.value(f"{name} forward", call_seconds(call, device) * 1e6, "us of CPU time")
            g = torch.zeros_like(call())
            both = call_seconds(lambda call=call, g=g: torch.autograd.grad(call(), x, g), device)
            rows.value(f"{name} forward and backward", both * 1e6, "us of CPU time")


def compiled(rows: Rows, device: torch.device) -> None:
    """The same operators in plain torch, compiled by inductor; each takes seconds, so this runs only if named."""
    with patch.dict(os.environ, {ENVIRONMENT_VARIABLE: "reference"}), torch.no_grad():
        for name, (call, x, _) in cases(device).items():
            with attempt(rows, name):
                torch._dynamo.reset()  # all calls share their code, of which few variants would be compiled
                function = torch.compile(call, dynamic=False)
                taken = eager_seconds(lambda function=function, x=x: function(x), device)
                rows.value(f"{name} compiled, forward", taken * 1000, "ms")
