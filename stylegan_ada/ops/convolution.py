"""2-D convolution whose gradients, of any order, are computed each in the form that is fastest here.

Convolution is linear in the image and in the weight, so that <conv(x, w), y> is linear in x, w and y. Each of the three
comes from the other two: the output by convolution, the image by its transpose, the weight by correlation of image and
output. The gradients of each of these are again the other two. torch's own second derivative of a convolution instead
exchanges batch and channels, in copies of its own.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_weight

from . import winograd
from .implementation import reference_only
from .layout import declare_layout, fast_layout
from .operator import wanted

IMAGE, WEIGHT, OUTPUT = range(3)


@dataclass(frozen=True)
class Form:
    """The trilinear form of one convolution; compute gives the tensor of one role from those of the others."""

    image_size: tuple[int, int]
    weight_shape: torch.Size
    stride: int
    padding: tuple[int, int]
    groups: int

    def compute(self, role: int, a: Tensor, b: Tensor) -> Tensor:
        """role: IMAGE, WEIGHT or OUTPUT. a, b: the two others, in that order."""
        if role == OUTPUT:
            return self._output(a, b)
        if role == IMAGE:
            return self._image(a, b)
        return self._weight(a, b)

    def _output(self, x: Tensor, w: Tensor) -> Tensor:
        if self._by_winograd(x):
            return winograd.convolve(x.permute(0, 2, 3, 1), w).permute(0, 3, 1, 2)
        return F.conv2d(declare_layout(x), w, stride=self.stride, padding=self.padding, groups=self.groups)

    def _image(self, w: Tensor, y: Tensor) -> Tensor:
        if self._by_winograd(y):
            turned = w.flip(2, 3).transpose(0, 1)
            return winograd.convolve(y.permute(0, 2, 3, 1), turned).permute(0, 3, 1, 2)
        rest = [
            self.image_size[axis]
            - ((y.shape[2 + axis] - 1) * self.stride - 2 * self.padding[axis] + self.weight_shape[2 + axis])
            for axis in (0, 1)
        ]
        return F.conv_transpose2d(declare_layout(y), w, None, self.stride, self.padding, rest, self.groups)

    def _weight(self, x: Tensor, y: Tensor) -> Tensor:
        if self._by_winograd(x):
            return winograd.weight_gradient(x.permute(0, 2, 3, 1), y.permute(0, 2, 3, 1))
        x, y = declare_layout(x), declare_layout(y)
        return conv2d_weight(x, self.weight_shape, y, self.stride, self.padding, groups=self.groups)

    def _by_winograd(self, image: Tensor) -> bool:
        simple = self.weight_shape[2:] == (3, 3) and (self.stride, self.padding, self.groups) == (1, (1, 1), 1)
        return (
            simple
            and not torch.compiler.is_compiling()  # an exported graph must hold for any batch
            and image.dtype in (torch.float32, torch.float64)
            and image.device.type == "cpu"
            and winograd.pays(len(image), *self.image_size, self.weight_shape[1], self.weight_shape[0])
            and not reference_only()
        )


class _Product(torch.autograd.Function):
    """One role's tensor from the two others, each of them differentiable."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, form: Form, role: int) -> Tensor:
        # each serves the other's gradient only: a network that does not learn keeps no image
        a_learns, b_learns = ctx.needs_input_grad[:2]
        ctx.save_for_backward(a if b_learns else None, b if a_learns else None)
        ctx.form, ctx.role = form, role
        return form.compute(role, a, b)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        form, role = ctx.form, ctx.role
        a, b = ctx.saved_tensors
        if role != WEIGHT:
            gradient = fast_layout(gradient)
        first, second = (other for other in (IMAGE, WEIGHT, OUTPUT) if other != role)
        a_gradient = b_gradient = None
        if wanted(ctx, 0):
            a_gradient = _product(form, first, {second: b, role: gradient})
        if wanted(ctx, 1):
            b_gradient = _product(form, second, {first: a, role: gradient})
        return a_gradient, b_gradient, None, None


def _product(form: Form, role: int, given: dict[int, Tensor]) -> Tensor:
    a, b = (given[other] for other in sorted(given))
    return _Product.apply(a, b, form, role)


def conv2d(x: Tensor, w: Tensor, stride: int = 1, padding: tuple[int, int] = (0, 0), groups: int = 1) -> Tensor:
    """Cross-correlation, as torch's conv2d. x: [N, I, H, W], w: [O, I // groups, kh, kw], of x's dtype; padding: zeros
    (along y, along x) on both sides."""
    form = Form((x.shape[2], x.shape[3]), w.shape, stride, padding, groups)
    return _product(form, OUTPUT, {IMAGE: x, WEIGHT: w})


def conv_transpose2d(x: Tensor, w: Tensor, stride: int = 1, groups: int = 1, extra_x: int = 0) -> Tensor:
    """Each pixel of x paints w, `stride` pixels apart: the transpose of conv2d without padding. x: [N, I, H, W],
    w: [I, O // groups, kh, kw]. extra_x: columns of zeros at the right, fewer than the stride.
    Returns [N, O, (H - 1) * stride + kh, (W - 1) * stride + kw + extra_x]."""
    kh, kw = w.shape[2:]
    size = ((x.shape[2] - 1) * stride + kh, (x.shape[3] - 1) * stride + kw + extra_x)
    return _product(Form(size, w.shape, stride, (0, 0), groups), IMAGE, {WEIGHT: w, OUTPUT: x})
