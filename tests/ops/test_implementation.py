from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.ops import bias_act, implementation, nvrtc, setup_filter, upfirdn2d
from stylegan_ada.ops.bias_act_reference import ACTIVATIONS
from stylegan_ada.ops.implementation import Kernels
from stylegan_ada.training import RunFolder, Trainer


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Kernels:
    """Kernels that have not failed yet, asked for on the CPU, too."""
    monkeypatch.setattr(implementation.kernels, "failure", None)
    serve = implementation.Kernels.serve
    monkeypatch.setattr(implementation.Kernels, "serve", lambda self, x: self.failure is None or serve(self, x))
    return implementation.kernels


def broken(error: Any) -> Callable[..., Any]:
    def launch(*_: Any) -> None:
        raise error

    return launch


@pytest.mark.parametrize("error", [RuntimeError("libnvrtc is not to be found\nin any of\n..."), OSError("no driver"),
                                   ImportError("No module named 'cuda'")])  # fmt: skip
def test_the_reference_serves_after_a_failure_with_one_warning(
    error: Any, fresh: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, f = torch.randn(2, 3, 8, 8, requires_grad=True), setup_filter([1, 3, 3, 1])
    monkeypatch.setattr(nvrtc, "launch", broken(error))

    def gradient() -> Tensor:
        y = upfirdn2d(bias_act(x, torch.ones(3), act="swish", clamp=1), f, up=2)
        return torch.autograd.grad(y.square().sum(), x)[0]

    with pytest.warns(UserWarning, match=f"cannot be used .*{str(error).splitlines()[0]}") as caught:
        found = gradient()
    assert len(caught) == 1
    assert not fresh.serve(x)
    torch.testing.assert_close(found, gradient())


@pytest.mark.parametrize("act", ACTIVATIONS)
def test_a_failure_between_forward_and_backward(
    act: str, host_launcher: Any, fresh: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the forward pass kept for a kernel, the reference's derivatives can use, too."""
    monkeypatch.setattr(nvrtc, "launch", host_launcher)
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    b = torch.randn(3, dtype=torch.float64, requires_grad=True)

    def derivatives(y: Tensor) -> list[Tensor]:
        first = torch.autograd.grad(y.square().sum(), (x, b), create_graph=True)
        return [*first, *torch.autograd.grad(first[0].square().sum(), (x, b))]

    y = bias_act(x, b, act=act, gain=-1.5, clamp=1)
    monkeypatch.setattr(nvrtc, "launch", broken(RuntimeError("gone")))
    with pytest.warns(UserWarning, match="gone"):
        found = derivatives(y)
    expected = derivatives(bias_act(x, b, act=act, gain=-1.5, clamp=1))
    torch.testing.assert_close(found, expected)


def test_training_goes_on_after_a_failure(
    fresh: Kernels,
    monkeypatch: pytest.MonkeyPatch,
    tiny_config: Callable[..., Any],
    dataset: ImageDataset,
    tmp_path: Path,
) -> None:
    def train() -> dict[Any, Any]:
        trainer = Trainer(tiny_config(), dataset, RunFolder(tmp_path), torch.device("cpu"), print)
        for _ in range(3):
            trainer.step()
        return trainer.state.generator.state_dict()

    with monkeypatch.context() as patch:
        patch.setattr(nvrtc, "launch", broken(RuntimeError("no NVRTC")))
        with pytest.warns(UserWarning, match="no NVRTC") as caught:
            found = train()
        assert len(caught) == 1
    torch.testing.assert_close(found, train(), rtol=1e-4, atol=1e-5)


def test_the_environment_can_ask_for_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnGpu:
        is_cuda, dtype = True, torch.float32

    monkeypatch.setattr(implementation.kernels, "failure", None)
    assert implementation.kernels.serve(OnGpu())
    monkeypatch.setenv("STYLEGAN_ADA_OPS", "reference")
    assert not implementation.kernels.serve(OnGpu())


def test_the_cpu_uses_the_reference() -> None:
    assert not implementation.kernels.serve(torch.zeros(1))
