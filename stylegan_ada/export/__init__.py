"""A trained generator as a file for other programs."""

from .onnx_file import OPSET, export_onnx
from .parts import NOISES, PARTS, ExportedPart
from .pt2_file import export_pt2
from .safetensors_file import export_safetensors

__all__ = ["NOISES", "OPSET", "PARTS", "WRITERS", "ExportedPart", "export_onnx", "export_pt2", "export_safetensors"]

WRITERS = {".onnx": export_onnx, ".pt2": export_pt2}  # of an ExportedPart, by the file's suffix
