"""A linear classifier of frozen features, trained on a synthetic set alone, tested on a run's held-out real images.

    python -m tests.bench.synthetic_classifier --run RUN --set FOLDER

FOLDER is of `generate dataset RUN`. Beside it stands the same classifier trained on the run's real training images, and
what always naming the commonest class would give. Accuracy over all classes, and over the first part of the classes'
names (up to the first "-"): for sample:elpv the type of cell.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.metrics import make_extractor
from stylegan_ada.metrics.evaluate import compute_real
from stylegan_ada.pixels import nhwc
from stylegan_ada.training.run_images import run_images


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--set", type=Path, required=True, dest="folder")
    arguments = parser.parse_args()
    extractor = make_extractor("lite0")
    real = run_images(arguments.run, None)
    if real.held_out is None:
        raise SystemExit(f"{arguments.run}: no images are held out")
    side = compute_real(real, extractor)
    synthetic = load_dataset(str(arguments.folder), Preparation(size=real.dataset.image_shape[1:]))
    assert synthetic.classes == real.dataset.classes
    features = extractor.features(extractor.extract([nhwc(synthetic.images)]))
    names = np.array(real.dataset.classes)
    kinds = np.array([name.split("-")[0] for name in names])
    training = {
        "synthetic": (features, synthetic.labels),
        "real": (side.trained_on, side.trained_on_labels),
    }
    held_out = side.reference_labels
    print(f"tested on {len(held_out)} held-out images")
    for words, table in (("all classes", names), ("first part of the name", kinds)):
        truth = table[held_out]
        commonest = max((truth == name).mean() for name in set(truth.tolist()))
        figures = [f"commonest {commonest:.3f}"]
        for name, (x, labels) in training.items():
            classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
            score = classifier.fit(x, table[labels]).score(side.reference, truth)
            figures.append(f"{name} ({len(x)} images) {score:.3f}")
        print(f"{words}: {', '.join(figures)}")


if __name__ == "__main__":
    main()
