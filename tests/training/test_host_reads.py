"""No part of a step waits for the device: nothing on the host depends on a value that was computed there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.training import RunFolder, Trainer

READS = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique2", "repeat_interleave")


class NoReads(TorchDispatchMode):
    """Refuses what reads a tensor's values on the host, or makes a result whose shape depends on them."""

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), options: dict[str, Any] | None = None
    ) -> Any:
        name = function.name().removeprefix("aten::").split(".")[0]
        masks = name in ("index", "index_put_") and any(i is not None and i.dtype == torch.bool for i in arguments[1])
        if name in READS or masks:
            raise AssertionError(f"{function.name()} waits for the device")
        return function(*arguments, **(options or {}))


def test_the_mode_sees_reads() -> None:
    with NoReads(), pytest.raises(AssertionError, match="_local_scalar_dense"):
        torch.ones(()).item()
    with NoReads(), pytest.raises(AssertionError, match="index"):
        torch.ones(3)[torch.ones(3) > 0]


def test_no_phase_of_a_step_reads_from_the_device(
    tiny_config: Callable[..., Any], dataset: ImageDataset, tmp_path: Path
) -> None:
    trainer = Trainer(tiny_config(), dataset, RunFolder(tmp_path), torch.device("cpu"), print)
    with NoReads():
        for _ in range(6):  # all phases are due in some of them, and p is set
            trainer.step()
    assert trainer.state.steps == 6
