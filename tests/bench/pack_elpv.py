"""The photographs of solar cells as one small file to take along to another machine.

    python -m tests.bench.pack_elpv OUT.zip --size 128

All 2,624 as PNG in class folders. Needs the package's extra `demo`, whose licence forbids commercial use.
"""

import argparse
import io
import zipfile
from pathlib import Path

from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    dataset = load_dataset("sample:elpv", Preparation(size=options.size))
    with zipfile.ZipFile(options.out, "w") as file:  # PNG is compressed already
        for name, image in zip(dataset.names, dataset.images, strict=True):
            png = io.BytesIO()
            Image.fromarray(image[0]).save(png, "PNG", optimize=True)
            file.writestr(name, png.getvalue())
    print(f"{len(dataset)} images, {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
