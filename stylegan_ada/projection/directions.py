"""Directions in which w varies, in which one class or value of an attribute becomes another, and numbers grow."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..errors import UserError, first_line, nearest
from ..files import atomic_path
from ..labels.attribute import NUMBER, SEVERAL, Attribute
from ..labels.label_space import LabelSpace
from ..labels.texts import label_text
from ..sampling import TrainedGenerator
from .latents import render
from .starts import SAMPLES, sample_w

COUNT = 10  # principal directions where no number is given
ARRAYS = ("vectors", "spreads", "shares", "centers")


@dataclass(frozen=True, eq=False)
class Directions:
    """Directions found among sampled w's: of all classes, or of the two that a direction leads from and to.

    names: K of them. vectors: float32 [K, w_dim], of unit length. spreads: float32 [K], the standard deviation of these
    w's along each, which is the unit of an edit. shares: float32 [K], of their variance, from 0 to 1. centers: float32
    [K, w_dim], their mean.
    """

    names: tuple[str, ...]
    vectors: NDArray[np.float32]
    spreads: NDArray[np.float32]
    shares: NDArray[np.float32]
    centers: NDArray[np.float32]

    def find(self, name: str) -> int:
        if name not in self.names:
            raise UserError(f"`direction` {name}: no such direction, {nearest(name, self.names)}")
        return self.names.index(name)


def find_directions(
    generator: TrainedGenerator, count: int = COUNT, start: str | None = None, end: str | None = None, seed: int = 0
) -> Directions:
    """Principal directions, and where there are classes, those from `start` (None: the commonest) to `end` (None: to
    each other one). UserError for a class that there is not.

    With attributes those of each number, and from each attribute's commonest value to each other one; or that between
    two labels, `start` and `end`.
    """
    parts = [principal_directions(generator, count, seed=seed)]
    if not generator.labels.is_flat:
        parts += _of_attributes(generator, start, end, seed)
    elif generator.classes:
        first = start if start is not None else generator.classes[int(np.argmax(generator.info.class_counts))]
        ends = [end] if end is not None else [name for name in generator.classes if name != first]
        parts += [class_direction(generator, first, name, seed) for name in ends]
    elif start is not None or end is not None:
        raise UserError("a direction between classes: this generator was trained without labels")
    return Directions(
        tuple(name for part in parts for name in part.names),
        *(np.concatenate([getattr(part, field) for part in parts]) for field in ARRAYS),
    )


def named_direction(generator: TrainedGenerator, name: str, seed: int = 0) -> Directions:
    """The direction of this name, found afresh (others may be with it): pc1 to pc10, a number's name, or START>END of
    any two classes or texts of attributes."""
    numbers = [number.name for number in varied_numbers(generator.labels)]
    if name in numbers:
        return number_direction(generator, name, seed)
    if generator.classes and ">" in name:
        places = [place for place, letter in enumerate(name) if letter == ">"]
        ends = [(name[:place], name[place + 1 :]) for place in places]
        known = [pair for pair in ends if {*pair} <= {*generator.classes}]  # whose names may have a > in them
        return class_direction(generator, *(known or ends)[0], seed)  # says which is no class
    principal = [f"pc{index + 1}" for index in range(min(COUNT, generator.info.network.w_dim))]
    if name not in principal:
        pair = ", or START>END of two classes" if generator.classes else ""
        raise UserError(f"`direction` {name}: no such direction, {nearest(name, [*principal, *numbers])}{pair}")
    return principal_directions(generator, len(principal), seed=seed)


def principal_directions(
    generator: TrainedGenerator, count: int = COUNT, label: str | None = None, seed: int = 0
) -> Directions:
    """pc1, pc2, ...: the principal components of sampled w, largest variance first (Harkonen et al. 2020,
    arXiv 2004.02546, section 2.1). label: of this label's w only."""
    from sklearn.decomposition import PCA

    w = _sampled(generator, label, seed)
    if not 1 <= count <= w.shape[1]:
        raise UserError(f"{count} directions: give from 1 to {w.shape[1]}, the size of w")
    fitted = PCA(count, svd_solver="full").fit(w)
    names = tuple(f"pc{index + 1}" for index in range(count))
    return Directions(
        names,
        _float32(fitted.components_),
        _float32(np.sqrt(fitted.explained_variance_)),
        _float32(fitted.explained_variance_ratio_),
        _float32(np.repeat(fitted.mean_[None], count, axis=0)),
    )


def class_direction(generator: TrainedGenerator, start: str, end: str, seed: int = 0) -> Directions:
    """One direction "START>END", along which samples of the class `start` become such of `end`: the normal of the
    hyperplane between their w (Shen et al. 2020, arXiv 1907.10786, section 2.1; here by logistic regression). start,
    end: classes' names or texts of attributes."""
    from sklearn.linear_model import LogisticRegression

    if generator.labels.named(start) == generator.labels.named(end):
        raise UserError(f"`start` {start}, `end` {end}: a direction leads from one class to another, name two")
    w = np.concatenate([_sampled(generator, start, seed), _sampled(generator, end, seed)])
    scale = w.std()  # a step of the classifier's penalty that does not depend on w's units
    normal = LogisticRegression(max_iter=1000).fit(w / scale, np.arange(len(w)) >= len(w) // 2).coef_[0]
    return _one(f"{start}>{end}", normal / np.linalg.norm(normal), w)


def number_direction(generator: TrainedGenerator, name: str, seed: int = 0) -> Directions:
    """One direction, called as a number is, from the mean w at one spread below its mean to that at one above, as far
    as such numbers were seen. z and all other attributes are the same at both ends, drawn as training images have them.

    It is 0 where the number has no effect on w.
    """
    place = [one.name for one in generator.labels.attributes].index(name)
    number = generator.labels.attributes[place]
    rows = generator.label_rows(range(seed * SAMPLES, (seed + 1) * SAMPLES), None)
    z = generator.z(range(seed * SAMPLES, (seed + 1) * SAMPLES))
    ends = []
    for value in (number.mean - number.spread, number.mean + number.spread):
        own = [(*row[:place], value, *row[place + 1 :]) for row in rows]  # clipped where it is made a vector
        c = torch.from_numpy(generator.labels.vectors(own)).to(generator.device)
        with torch.no_grad():
            ends.append(generator.network.mapping(z, c).double().cpu().numpy())
    step = ends[1].mean(axis=0) - ends[0].mean(axis=0)
    return _one(name, step / (np.linalg.norm(step) or 1), np.concatenate(ends))


def varied_numbers(labels: LabelSpace) -> list[Attribute]:
    """The numbers among the attributes that are not the same for all images."""
    return [one for one in labels.attributes if one.kind == NUMBER and one.low < one.high]


def value_pairs(labels: LabelSpace) -> list[tuple[str, str]]:
    """Texts of labels, from each attribute's commonest value to each other one; none of flat classes."""
    pairs = []
    for place, attribute in enumerate(() if labels.is_flat else labels.attributes):
        images = dict.fromkeys(attribute.values, 0)
        for row, count in zip(labels.rows, labels.counts.tolist(), strict=True):
            value = row[place]
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, str):
                    images[one] += count
        of_several = attribute.kind == SEVERAL
        texts = {one: label_text([attribute], [(one,) if of_several else one]) for one in attribute.values}
        start = max(images, key=images.__getitem__, default="")
        pairs += [(texts[start], texts[one]) for one in attribute.values if one != start]
    return pairs


def _of_attributes(generator: TrainedGenerator, start: str | None, end: str | None, seed: int) -> list[Directions]:
    if start is not None and end is not None:
        return [class_direction(generator, start, end, seed)]
    if start is not None or end is not None:
        raise UserError("`start`, `end`: this generator has attributes, give both labels, or none for all directions")
    numbers = [number_direction(generator, one.name, seed) for one in varied_numbers(generator.labels)]
    return numbers + [class_direction(generator, *pair, seed) for pair in value_pairs(generator.labels)]


def _one(name: str, vector: NDArray[np.float64], w: NDArray[np.float64]) -> Directions:
    """A direction that was found among w [N, w_dim]."""
    along = (w @ vector).var()
    return Directions(
        (name,),
        _float32(vector[None]),
        _float32([np.sqrt(along)]),
        _float32([along / w.var(axis=0).sum()]),
        _float32(w.mean(axis=0, keepdims=True)),
    )


def edit(w: Tensor, directions: Directions, name: str, amount: float) -> Tensor:
    """w [N, num_ws, w_dim] moved by `amount` standard deviations of sampled w's along a direction, in every layer."""
    index = directions.find(name)
    step = torch.from_numpy(directions.vectors[index] * directions.spreads[index]).to(w)
    return w + amount * step


def direction_rows(generator: TrainedGenerator, directions: Directions, amounts: Sequence[float]) -> list[np.ndarray]:
    """uint8 [amounts, H, W, C] per direction: from its center, by the noise that is kept in the network."""
    rows = []
    for name, center in zip(directions.names, directions.centers, strict=True):
        w = generator.network.broadcast(torch.from_numpy(center)[None].to(generator.device))
        moved = torch.cat([edit(w, directions, name, amount) for amount in amounts])
        rows.append(render(generator, moved, generator.network.synthesis.noise_constant[None]))
    return rows


def save_directions(path: Path, directions: Directions) -> None:
    """Writes a .npz of names [K] (text), vectors and centers [K, w_dim], spreads and shares [K] (float32)."""
    arrays = {field: getattr(directions, field) for field in ARRAYS}
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, names=np.array(directions.names, dtype=np.str_), **arrays)


def load_directions(path: Path, w_dim: int) -> Directions:
    """Reads a file of `save_directions`, without running code. UserError if it is none, or of another size of w."""
    try:
        with np.load(path, allow_pickle=False) as file:
            names, arrays = file["names"], {field: _float32(file[field]) for field in ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a file of directions ({first_line(error)})") from None
    count = names.size
    shapes = {"vectors": (count, w_dim), "spreads": (count,), "shares": (count,), "centers": (count, w_dim)}
    for field, shape in shapes.items():
        if arrays[field].shape != shape or not np.isfinite(arrays[field]).all():
            raise UserError(f"{path}: {field} is {list(arrays[field].shape)}, this generator takes {list(shape)}")
    return Directions(tuple(map(str, names.reshape(-1))), **arrays)


def _float32(values: ArrayLike) -> NDArray[np.float32]:
    return np.asarray(values, np.float32)


def _sampled(generator: TrainedGenerator, label: str | None, seed: int) -> NDArray[np.float64]:
    """float64 [10,000, w_dim] of a label, or of all in the training set's shares."""
    if label is not None or not generator.labels.is_flat or not generator.classes:
        return sample_w(generator, label, seed=seed).double().cpu().numpy()
    shares = np.array(generator.info.class_counts) / sum(generator.info.class_counts)
    parts = [
        sample_w(generator, name, max(1, round(SAMPLES * share)), seed + index).double().cpu().numpy()
        for index, (name, share) in enumerate(zip(generator.classes, shares, strict=True))
        if share
    ]
    return np.concatenate(parts)
