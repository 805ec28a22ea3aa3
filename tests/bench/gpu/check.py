"""Whether the operators are right on the device: against float64 on the CPU."""

from collections.abc import Callable

import torch
from torch import Tensor

from stylegan_ada.ops import bias_act, setup_filter, upfirdn2d

from .rows import Rows
from .timing import DTYPES, attempt

LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}
TOLERANCES = {"fp32": 1e-5, "bf16": 2e-2, "fp16": 3e-3}
TAPS4, TAPS12 = setup_filter([1, 3, 3, 1]), setup_filter([1, 2, 4, 7, 9, 10, 10, 9, 7, 4, 2, 1])
CALLS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "bias_act linear": lambda x, b: bias_act(x, b, act="linear"),
    "bias_act lrelu": lambda x, b: bias_act(x, b, act="lrelu"),
    "bias_act swish": lambda x, b: bias_act(x, b, act="swish"),
    "filter 4x4": lambda x, b: upfirdn2d(x, TAPS4.to(x.device), padding=(2, 1, 2, 1)),
    "up 2 by 4x4": lambda x, b: upfirdn2d(x, TAPS4.to(x.device), up=2, padding=(2, 1, 2, 1), gain=4),
    "down 2 by 4x4": lambda x, b: upfirdn2d(x, TAPS4.to(x.device), down=2, padding=1),
    "up 2 by 12 taps": lambda x, b: upfirdn2d(x, TAPS12.to(x.device), up=2, padding=(6, 5, 6, 5), gain=4),
    "down 2 by 12 taps": lambda x, b: upfirdn2d(x, TAPS12.to(x.device), down=2, padding=5),
}


def check(rows: Rows, device: torch.device) -> None:
    """Largest error of result and gradient, relative to the largest magnitude."""
    passed = cases = 0
    for layout_name, layout in LAYOUTS.items():
        for dtype_name, dtype in DTYPES.items():
            b, g = torch.randn(16).to(dtype), torch.randn(3, 16, 20, 24).to(dtype)
            x = away_from_the_kink(torch.randn(3, 16, 20, 24).to(dtype), b).to(memory_format=layout)
            for name, call in CALLS.items():
                what, tolerance = f"{name}, {dtype_name}, {layout_name}", TOLERANCES[dtype_name]
                cases += 1
                with attempt(rows, what):
                    error = largest_error(call, x, b, g, device)
                    rows.add(what, error=error, tolerance=tolerance)
                    if error <= tolerance:  # not so of NaN
                        passed += 1
                    else:
                        rows.add(what, failed=f"error {error:.2g} of the largest magnitude, allowed {tolerance}")
    rows.value("right", passed, f"of {cases} cases")


def away_from_the_kink(x: Tensor, b: Tensor) -> Tensor:
    """x where x + b is not close to 0: at 0 two slopes of lrelu are right, and rounding tells which is found."""
    near = (x.double() + b.double()[:, None, None]).abs() < 0.01
    return torch.where(near, x + 1, x)


def largest_error(
    call: Callable[[Tensor, Tensor], Tensor], x: Tensor, b: Tensor, g: Tensor, device: torch.device
) -> float:
    def both(x: Tensor, b: Tensor) -> list[Tensor]:
        x = x.detach().requires_grad_()
        y = call(x, b)
        seed = g.to(y.device, y.dtype).repeat(1, 1, 2, 2)[:, :, : y.shape[2], : y.shape[3]]
        return [y, *torch.autograd.grad(y, x, seed)]

    found, expected = both(x.to(device), b.to(device)), both(x.double(), b.double())
    errors = [(a.double().cpu() - e).abs().max() / e.abs().max() for a, e in zip(found, expected, strict=True)]
    return float(torch.stack(errors).max())  # NaN if one is
