"""python label_vector.py FILE.onnx NAME=VALUE ...   (of export --format onnx --uint8; one value for each attribute)"""

import json
import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # or onnxruntime sends the file's name to Microsoft
import numpy as np
import onnxruntime
from PIL import Image


def label_vector(attributes, values):
    """float32 [1, c_dim]. values: by name a text or number, of several a list; None where it is unknown."""
    vector = np.zeros(attributes[-1]["slice"][1], np.float32)
    for one in attributes:
        value, (start, stop) = values[one["name"]], one["slice"]
        if value is None:
            vector[stop - 1] = 1
        elif one["kind"] == "number":
            clipped = min(max(float(value), one["low"]), one["high"])
            vector[start : start + 2] = (clipped - one["mean"]) / one["spread"], 1
        else:
            for chosen in value if isinstance(value, list) else [value]:
                vector[start + one["values"].index(chosen)] = 1
    return vector[None]


if __name__ == "__main__":
    path, *texts = sys.argv[1:]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    attributes = json.loads(session.get_modelmeta().custom_metadata_map["attributes"])
    z_dim = next(entry.shape[1] for entry in session.get_inputs() if entry.name == "z")
    z = np.random.default_rng(0).standard_normal((1, z_dim), np.float32)
    label = label_vector(attributes, dict(text.split("=", 1) for text in texts))
    (image,) = session.run(["image"], {"z": z, "label": label, "truncation_psi": np.array(0.7, np.float32)})[0]
    Image.fromarray(image.squeeze()).save("labelled.png")
