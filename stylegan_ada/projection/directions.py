"""Directions in which w varies, and in which one class becomes another."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..errors import UserError
from ..files import atomic_path
from ..sampling import TrainedGenerator
from .starts import SAMPLES, sample_w


@dataclass(frozen=True, eq=False)
class Directions:
    """names: K of them. vectors: float32 [K, w_dim], of unit length. spreads: float32 [K], the standard deviation of
    sampled w's along each, which is the unit of an edit."""

    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    spreads: NDArray[np.float32]

    def find(self, name: str) -> int:
        if name not in self.names:
            raise UserError(f"direction {name!r}: no such direction, choose from {', '.join(self.names)}")
        return self.names.index(name)


def principal_directions(
    generator: TrainedGenerator, count: int = 10, label: str | None = None, seed: int = 0
) -> Directions:
    """pc1, pc2, ...: the principal components of sampled w, largest variance first (Harkonen et al. 2020,
    arXiv 2004.02546, section 2.1). label: of this class's w only."""
    from sklearn.decomposition import PCA

    w = _sampled(generator, label, seed)
    if not 1 <= count <= w.shape[1]:
        raise UserError(f"{count} directions: give from 1 to {w.shape[1]}, the size of w")
    fitted = PCA(count, svd_solver="full").fit(w)
    names = tuple(f"pc{index + 1}" for index in range(count))
    return Directions(names, _float32(fitted.components_), _float32(np.sqrt(fitted.explained_variance_)))


def class_direction(generator: TrainedGenerator, start: str, end: str, seed: int = 0) -> Directions:
    """One direction "START>END", along which samples of the class `start` become such of `end`: the normal of the
    hyperplane between their w (Shen et al. 2020, arXiv 1907.10786, section 2.1; here by logistic regression)."""
    from sklearn.linear_model import LogisticRegression

    if start == end:
        raise UserError(f"a direction from {start!r} to itself: name two classes")
    w = np.concatenate([_sampled(generator, start, seed), _sampled(generator, end, seed)])
    scale = w.std()  # a step of the classifier's penalty that does not depend on w's units
    normal = LogisticRegression(max_iter=1000).fit(w / scale, np.arange(len(w)) >= len(w) // 2).coef_[0]
    vector = _float32(normal / np.linalg.norm(normal))
    return Directions((f"{start}>{end}",), vector[None], _float32([(w @ vector).std()]))


def edit(w: Tensor, directions: Directions, name: str, amount: float) -> Tensor:
    """w [N, num_ws, w_dim] moved by `amount` standard deviations of sampled w's along a direction, in every layer."""
    index = directions.find(name)
    step = torch.from_numpy(directions.vectors[index] * directions.spreads[index]).to(w)
    return w + amount * step


def save_directions(path: Path, directions: Directions) -> None:
    """Writes a .npz of names [K] (text), vectors [K, w_dim] and spreads [K] (float32)."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            names=np.array(directions.names, dtype=np.str_),
            vectors=directions.vectors,
            spreads=directions.spreads,
        )


def load_directions(path: Path, w_dim: int) -> Directions:
    """Reads a file of `save_directions`, without running code. UserError if it is none, or of another size of w."""
    try:
        with np.load(path, allow_pickle=False) as file:
            names, vectors, spreads = file["names"], file["vectors"], file["spreads"]
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path}: not a file of directions ({reason})") from None
    if vectors.shape != (len(names), w_dim) or spreads.shape != (len(names),):
        raise UserError(f"{path}: its vectors are {list(vectors.shape)}, this generator takes [K, {w_dim}]")
    return Directions(tuple(map(str, names)), _float32(vectors), _float32(spreads))


def _float32(values: ArrayLike) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


def _sampled(generator: TrainedGenerator, label: str | None, seed: int) -> NDArray[np.float64]:
    """float64 [10,000, w_dim] of a class, or of all in the training set's shares."""
    if label is not None or not generator.classes:
        return sample_w(generator, label, seed=seed).double().cpu().numpy()
    shares = np.array(generator.info.class_counts) / sum(generator.info.class_counts)
    parts = [
        sample_w(generator, name, max(1, round(SAMPLES * share)), seed + index).double().cpu().numpy()
        for index, (name, share) in enumerate(zip(generator.classes, shares, strict=True))
        if share
    ]
    return np.concatenate(parts)
