"""The ops by themselves, for tests/bench/gpu.py: whether they are right, and how fast they are."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from stylegan_ada.ops import bias_act, setup_filter, upfirdn2d

from .gpu_timing import DTYPES, attempt, call_seconds, copy_seconds, reference_ops, seconds

LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}
LEAST_BYTES = 256 * 2**20
TOLERANCES = {"fp32": 1e-5, "bf16": 2e-2, "fp16": 3e-3}
TAPS4, TAPS12 = setup_filter([1, 3, 3, 1]), setup_filter([1, 2, 4, 7, 9, 10, 10, 9, 7, 4, 2, 1])
FIRS: dict[str, tuple[Tensor, dict[str, Any]]] = {
    "filter 4x4": (TAPS4, {"padding": (2, 1, 2, 1)}),
    "up 2 by 4x4": (TAPS4, {"up": 2, "padding": (2, 1, 2, 1), "gain": 4}),
    "down 2 by 4x4": (TAPS4, {"down": 2, "padding": 1}),
    "up 2 by 12 taps, each axis": (TAPS12, {"up": 2, "padding": (6, 5, 6, 5), "gain": 4}),
    "down 2 by 12 taps, each axis": (TAPS12, {"down": 2, "padding": 5}),
}


def host() -> list[dict]:
    """Microseconds of the CPU per operation: what a call takes until it returns, with a GPU that has nothing to do."""
    x, b = torch.zeros(1, 8, 4, 4, device="cuda", requires_grad=True), torch.zeros(8, device="cuda")
    f = TAPS4.cuda()
    calls = {
        "bias_act": lambda: bias_act(x, b, act="lrelu"),
        "upfirdn2d": lambda: upfirdn2d(x, f, padding=(2, 1, 2, 1)),
    }
    rows = []
    for name, call in calls.items():
        g = torch.zeros_like(call())
        both = call_seconds(lambda call=call, g=g: torch.autograd.grad(call(), x, g))
        rows.append({"op": name, "forward_us": call_seconds(call) * 1e6, "both_us": both * 1e6})
    return rows


def shapes(save: Callable[[list[dict]], None]) -> list[dict]:
    """The filters after the networks' up-convolutions at their real shapes, rows odd and even, with gradients."""
    rows: list[dict] = []
    f = TAPS4.cuda()
    for channels, side in ((512, 64), (256, 128), (128, 256), (64, 256)):
        for batch in (1, 16):
            for dtype_name in ("bf16", "fp32"):
                for width, padding in ((side + 1, (1, 1, 1, 1)), (side + 2, (1, 0, 1, 1))):
                    x = torch.randn(batch, channels, side + 1, width, device="cuda").to(DTYPES[dtype_name])
                    row = {"shape": list(x.shape), "dtype": dtype_name}
                    figures = attempt(
                        lambda x=x, p=padding: measure_op(lambda x: upfirdn2d(x, f, padding=p), x, 2, False)
                    )
                    rows.append(row | (figures if isinstance(figures, dict) else {"failure": figures}))
                    save(rows)
    return rows


def check() -> list[dict]:
    """Largest error of forward and gradient against float64 on the CPU, relative to the largest magnitude."""
    rows = []
    for layout_name, layout in LAYOUTS.items():
        for dtype_name, dtype in DTYPES.items():
            x = torch.randn(3, 16, 20, 24).to(dtype).to(memory_format=layout)
            b, g = torch.randn(16).to(dtype), torch.randn(3, 16, 20, 24).to(dtype)
            calls: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
                f"bias_act {act}": lambda x, b, act=act: bias_act(x, b, act=act) for act in ("linear", "lrelu", "swish")
            }
            for name, (f, arguments) in FIRS.items():
                calls[name] = lambda x, b, f=f, arguments=arguments: upfirdn2d(x, f.to(x.device), **arguments)
            for name, call in calls.items():
                row = {"op": name, "dtype": dtype_name, "layout": layout_name}
                rows.append(row | {"error": attempt(lambda call=call, x=x, b=b, g=g: compare(call, x, b, g))})
    return rows


def compare(call: Callable[[Tensor, Tensor], Tensor], x: Tensor, b: Tensor, g: Tensor) -> float:
    def both(x: Tensor, b: Tensor) -> list[Tensor]:
        x = x.detach().requires_grad_()
        y = call(x, b)
        seed = g.to(y.device, y.dtype).repeat(1, 1, 2, 2)[:, :, : y.shape[2], : y.shape[3]]
        return [y, *torch.autograd.grad(y, x, seed)]

    found, expected = both(x.cuda(), b.cuda()), both(x.double(), b.double())
    return max(float((a.double().cpu() - e).abs().max() / e.abs().max()) for a, e in zip(found, expected, strict=True))


def passes(row: dict) -> bool:
    return isinstance(row["error"], float) and row["error"] <= TOLERANCES[row["dtype"]]


def ops(save: Callable[[list[dict]], None]) -> list[dict]:
    """Each op, dtype and layout; save is called with the rows so far. A separable filter is two kernels, whose bytes in
    between are not counted: it can reach little more than half of a copy's speed."""
    rows: list[dict] = []
    for dtype_name, dtype in DTYPES.items():
        for layout_name, layout in LAYOUTS.items():
            shape = [LEAST_BYTES // (128 * 256 * 256 * dtype.itemsize), 128, 256, 256]
            x = torch.randn(shape, device="cuda").to(dtype).to(memory_format=layout)
            b = torch.randn(128, device="cuda").to(dtype)
            calls: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
                f"bias_act {act}": (lambda x, b=b, act=act: bias_act(x, b, act=act), 3) for act in ("lrelu", "swish")
            }
            for name, (f, arguments) in FIRS.items():
                f = f.cuda()
                calls[name] = (lambda x, f=f, arguments=arguments: upfirdn2d(x, f, **arguments), 2)
            compiled = (dtype_name, layout_name) == ("fp32", "channels first")  # each takes seconds
            for name, (call, tensors) in calls.items():
                row = {"op": name, "dtype": dtype_name, "layout": layout_name}
                figures = attempt(lambda call=call, n=tensors, x=x, c=compiled: measure_op(call, x, n, c))
                rows.append(row | (figures if isinstance(figures, dict) else {"failure": figures}))
                save(rows)
                torch.cuda.empty_cache()
    return rows


def measure_op(call: Callable[[Tensor], Tensor], x: Tensor, backward_tensors: int, compiled_too: bool) -> dict:
    """Milliseconds, and the copy's speed reached, both ways (backward_tensors: what backward moves, at least)."""
    x = x.detach().requires_grad_()
    y = call(x)
    g = torch.randn_like(y)
    forward_bytes = (x.numel() + y.numel()) * x.element_size()
    backward_bytes = forward_bytes + (backward_tensors - 2) * y.numel() * x.element_size()

    def forward() -> None:
        with torch.no_grad():
            call(x)

    def backward() -> None:
        torch.autograd.grad(y, x, g, retain_graph=True)

    row: dict = {"MB": forward_bytes / 1e6}
    copies = {"forward": copy_seconds(forward_bytes), "backward": copy_seconds(backward_bytes)}
    for name, function in (("forward", forward), ("backward", backward)):
        time_taken = seconds(function)
        row[name] = {"ms": time_taken * 1000, "of_copy": copies[name] / time_taken}
    with reference_ops():
        y = call(x)  # backward() differentiates this one from here on
        row["reference_ms"] = attempt(lambda: seconds(forward) * 1000)
        row["reference_backward_ms"] = attempt(lambda: seconds(backward) * 1000)
        if compiled_too:
            torch._dynamo.reset()  # all calls share their code, of which few variants would be compiled
            compiled = torch.compile(call, dynamic=False)

            def run_compiled() -> None:
                with torch.no_grad():
                    compiled(x)

            row["compiled_ms"] = attempt(lambda: seconds(run_compiled) * 1000)
    return row
