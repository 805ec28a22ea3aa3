"""python onnx_images.py FILE.onnx CLASS ...   (of export --format onnx --uint8; needs onnxruntime, numpy, Pillow)"""

import json
import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # or onnxruntime sends the file's name to Microsoft
import numpy as np
import onnxruntime
from PIL import Image

path, *names = sys.argv[1:]
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
z_dim = next(entry.shape[1] for entry in session.get_inputs() if entry.name == "z")
z = np.random.default_rng(0).standard_normal((len(names), z_dim), np.float32)
label = np.eye(len(classes), dtype=np.float32)[[classes.index(name) for name in names]]
inputs = {"z": z, "label": label, "truncation_psi": np.array(0.7, np.float32)}
for index, image in enumerate(session.run(["image"], inputs)[0]):  # uint8 [H, W, C]
    Image.fromarray(image.squeeze()).save(f"{index}-{names[index]}.png")
