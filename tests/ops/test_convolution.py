"""Convolutions and their gradients against torch's own."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from stylegan_ada.ops import convolution, winograd
from stylegan_ada.ops.convolution import Form, conv2d, conv_transpose2d
from stylegan_ada.ops.layout import fast_layout

# image channels, outputs, kernel, height, width, stride, padding, groups
FORMS = {
    "3x3": (2, 3, 3, 8, 8, 1, (1, 1), 1),
    "1x1": (3, 1, 1, 5, 4, 1, (0, 0), 1),
    "one channel": (1, 3, 1, 4, 5, 1, (0, 0), 1),
    "down": (2, 3, 3, 9, 7, 2, (0, 0), 1),
    "down, a row is left over": (2, 3, 3, 10, 8, 2, (1, 0), 1),
    "groups": (4, 6, 3, 5, 5, 1, (0, 1), 2),
}


@pytest.fixture(params=["direct", "winograd"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every 3x3 convolution without a stride by Winograd's algorithm, or none."""
    monkeypatch.setattr(winograd, "pays", lambda *shape: request.param == "winograd")
    return request.param


def make(name: str) -> tuple[Tensor, Tensor, int, tuple[int, int], int]:
    channels, outputs, kernel, height, width, stride, padding, groups = FORMS[name]
    x = torch.randn(2, channels, height, width, dtype=torch.float64, requires_grad=True)
    w = torch.randn(outputs, channels // groups, kernel, kernel, dtype=torch.float64, requires_grad=True)
    return x, w, stride, padding, groups


@pytest.mark.parametrize("name", FORMS)
def test_conv2d_equals_torch(name: str, way: str) -> None:
    x, w, stride, padding, groups = make(name)
    expected = functional.conv2d(x, w, None, stride, padding, groups=groups)
    torch.testing.assert_close(conv2d(x, w, stride, padding, groups), expected)


@pytest.mark.parametrize("name", FORMS)
def test_conv2d_has_gradients_of_first_and_second_order(name: str, way: str) -> None:
    x, w, *arguments = make(name)
    assert torch.autograd.gradcheck(lambda x, w: conv2d(x, w, *arguments), (x, w))
    assert torch.autograd.gradgradcheck(lambda x, w: conv2d(x, w, *arguments), (x, w))


@pytest.mark.parametrize(("stride", "groups"), [(1, 1), (2, 1), (2, 2)])
def test_transposed_convolution(stride: int, groups: int) -> None:
    x = torch.randn(2, 4, 3, 4, dtype=torch.float64, requires_grad=True)
    w = torch.randn(4, 6 // groups, 3, 3, dtype=torch.float64, requires_grad=True)
    expected = functional.conv_transpose2d(x, w, None, stride, groups=groups)
    torch.testing.assert_close(conv_transpose2d(x, w, stride, groups), expected)
    assert torch.autograd.gradcheck(lambda x, w: conv_transpose2d(x, w, stride, groups), (x, w))
    assert torch.autograd.gradgradcheck(lambda x, w: conv_transpose2d(x, w, stride, groups), (x, w))


def test_third_derivative_equals_torch(way: str) -> None:
    """Cubic in the image, so that the third derivative is not zero."""

    def third(convolve: Callable[..., Any]) -> Tensor:
        x, w = torch.linspace(-1, 1, 128).double().reshape(1, 2, 8, 8).requires_grad_(), weight
        value = convolve(x, w).pow(3).sum()
        for _ in range(3):
            (gradient,) = torch.autograd.grad(value, x, create_graph=True)
            value = (gradient * direction).sum()
        return torch.autograd.grad(value, w)[0]

    weight = torch.randn(3, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    direction = torch.randn(1, 2, 8, 8, dtype=torch.float64)
    expected = third(lambda x, w: functional.conv2d(x, w, padding=1))
    torch.testing.assert_close(third(lambda x, w: conv2d(x, w, 1, (1, 1))), expected)


@pytest.mark.parametrize("constant", [0, 1])
def test_gradients_where_one_input_is_constant(constant: int, way: str) -> None:
    inputs = list(make("3x3")[:2])
    inputs[constant] = inputs[constant].detach()
    assert torch.autograd.gradgradcheck(lambda x, w: conv2d(x, w, 1, (1, 1)), inputs)


@pytest.mark.parametrize("leaf", [True, False])
def test_no_gradient_is_computed_that_is_not_asked_for(leaf: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []
    compute = convolution.Form.compute

    def watch(form: Form, role: int, a: Tensor, b: Tensor) -> Tensor:
        computed.append(role)
        return compute(form, role, a, b)

    monkeypatch.setattr(convolution.Form, "compute", watch)
    x = torch.randn(1, 2, 4, 4, requires_grad=True)
    w = torch.randn(3, 2, 3, 3, requires_grad=True)
    y = conv2d(x if leaf else x * 2, w, 1, (1, 1))
    torch.autograd.grad(y.sum(), x, create_graph=True)  # as for R1 and path lengths
    assert computed == [convolution.OUTPUT, convolution.IMAGE]
    y.sum().backward()
    assert computed[2:] == [convolution.IMAGE, convolution.WEIGHT]


def test_no_images_give_gradients_of_zero() -> None:
    """A process whose share of a batch has none must still take part in the sum of gradients."""
    w = torch.randn(3, 2, 3, 3, requires_grad=True)
    conv2d(torch.zeros(0, 2, 4, 4), w, 1, (1, 1)).sum().backward()
    assert torch.equal(w.grad, torch.zeros_like(w))


@pytest.mark.parametrize("channels", [1, 2])
def test_results_are_channels_last_whatever_the_number_of_channels(channels: int) -> None:
    x = fast_layout(torch.randn(2, channels, 8, 8))
    y = conv2d(x, torch.randn(4, channels, 1, 1))
    assert y.is_contiguous(memory_format=torch.channels_last)


# torch makes one itself while it traces
traced = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")


def test_the_environment_can_ask_for_torch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Tensor) -> None:
        raise RuntimeError("by Winograd's algorithm")

    monkeypatch.setattr(winograd, "pays", lambda *shape: True)
    monkeypatch.setattr(winograd, "convolve", refuse)
    monkeypatch.setattr(winograd, "weight_gradient", refuse)
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    w = torch.randn(4, 3, 3, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match="Winograd"):
        conv2d(x, w, 1, (1, 1))
    monkeypatch.setenv("STYLEGAN_ADA_OPS", "reference")
    found, expected = conv2d(x, w, 1, (1, 1)), functional.conv2d(x, w, padding=1)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(*(torch.autograd.grad(y.square().sum(), (x, w)) for y in (found, expected)))


@traced
def test_compiles_as_one_graph_with_its_gradients() -> None:
    x = torch.randn(2, 3, 6, 6, requires_grad=True)
    w = torch.randn(4, 3, 3, 3, requires_grad=True)
    compiled = torch.compile(lambda x, w: conv2d(x, w, 1, (1, 1)), fullgraph=True, backend="aot_eager")
    found = torch.autograd.grad(compiled(x, w).square().sum(), (x, w))
    torch.testing.assert_close(found, torch.autograd.grad(conv2d(x, w, 1, (1, 1)).square().sum(), (x, w)))


@traced
def test_exports_with_any_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Winograd's algorithm cuts a batch by its size: a graph must not."""
    monkeypatch.setattr(winograd, "pays", lambda *shape: True)

    class Layer(torch.nn.Module):
        def forward(self, x: Any, w: Any) -> Any:
            return conv2d(x, w, 1, (1, 1))

    w = torch.randn(3, 2, 3, 3)
    shapes = ({0: torch.export.Dim("batch", max=64)}, None)
    graph = torch.export.export(Layer(), (torch.randn(2, 2, 8, 8), w), dynamic_shapes=shapes, strict=True).module()
    x = torch.randn(9, 2, 8, 8)
    torch.testing.assert_close(graph(x, w), functional.conv2d(x, w, padding=1))
