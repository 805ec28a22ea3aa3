"""The generator as an ONNX file, which onnxruntime and many other programs run."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoint import GeneratorInfo
from ..files import atomic_path
from ..libraries.network_files import open_session
from .parts import ExportedPart, quiet
from .safetensors_file import file_metadata
from .verify import largest_difference

ONNX_FORMAT = "stylegan_ada onnx 1"
OPSET = 20
ANY_SIZE = 2**40  # numbers; the optimizer would leave products of large weights and their gains in the graph


def export_onnx(part: ExportedPart, info: GeneratorInfo, path: Path, notes: Mapping[str, str]) -> float:
    """Writes one file, weights inside, runs it in onnxruntime and gives the largest difference from the network.
    UserError as of `largest_difference`."""
    from onnxscript import optimizer

    with quiet(), _exporters_silent():
        program = torch.onnx.export(
            part.trace(), dynamo=True, verbose=False, optimize=False, opset_version=OPSET,
            output_names=[part.output_name],
        )  # fmt: skip
        assert program is not None
        # not optimize(), whose rules take the 1e-8 that keeps norms from 0 for a 0
        optimizer.fold_constants(program.model, input_size_limit=ANY_SIZE, output_size_limit=ANY_SIZE)
        optimizer.remove_unused_nodes(program.model)
    program.model.metadata_props.update(file_metadata(info, notes, ONNX_FORMAT))
    with atomic_path(path) as temporary:
        program.save(temporary, external_data=False)
        return verify_onnx(temporary, part)


def verify_onnx(path: Path, part: ExportedPart) -> float:
    """The largest difference between the file and the network. UserError as of `largest_difference`."""
    session = open_session(path)

    def run(inputs: dict[str, Tensor]) -> Tensor:
        (output,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
        return torch.from_numpy(output)

    return largest_difference(part, run)


@contextmanager
def _exporters_silent() -> Iterator[None]:
    """Silences the exporters' log lines on operators that are not used here."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
