"""A trained generator as a file for other programs."""

from .native import export_safetensors
from .onnx_file import OPSET, export_onnx
from .parts import NOISES, PARTS, ExportedPart
from .pt2_file import export_pt2

__all__ = ["NOISES", "OPSET", "PARTS", "ExportedPart", "export_onnx", "export_pt2", "export_safetensors"]
