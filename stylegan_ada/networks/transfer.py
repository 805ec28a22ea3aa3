"""Taking over weights from a trained network of another size, other channels, classes, widths or depths.

A parameter is taken where it has the same meaning and shape; the rest keeps what it was drawn with. Where a number of
inputs changes, equalised learning rates (`layers.py`) divide by another root: weights are scaled to make up for it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..config import NetworkConfig
from ..errors import UserError
from ..labels.attribute import NUMBER, Attribute, column_names
from .discriminator import Discriminator
from .generator import Generator

GRAY, RGB = 1, 3
NOT_SHOWN = ""  # a part without a row of its own: noise, means of w, the embedding of classes


@dataclass(frozen=True, kw_only=True)
class Described:
    """A network's configuration and classes or attributes, which say what its numbers stand for."""

    config: NetworkConfig
    classes: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """A name for each number of a label vector."""
        return tuple(column_names(self.attributes)) if self.attributes else self.classes


@dataclass(frozen=True, kw_only=True)
class TransferredPart:
    """A part of a network, and how many of its tensors were taken."""

    name: str
    taken: int
    of: int
    unit: str = "tensors"

    @property
    def words(self) -> str:
        if self.taken in (0, self.of):
            return "taken" if self.taken else "new"
        return f"{self.taken} of {self.of} {self.unit}"


def check_transfer(source: NetworkConfig, target: NetworkConfig) -> None:
    """Raises UserError where two networks share no block, or their channels cannot be converted."""
    if source.block_shapes[0] != target.block_shapes[0]:
        sizes = [f"{height}x{width}" for height, width in (source.block_shapes[0], target.block_shapes[0])]
        raise UserError(
            f"`init_from`: its networks grow from {sizes[0]} pixels, those of this run from {sizes[1]}: "
            f"they share no block, give a `size` of {sizes[0]} times 2^n"
        )
    if source.channels != target.channels and {source.channels, target.channels} != {GRAY, RGB}:
        raise UserError(
            f"`init_from`: its images have {source.channels} channels and this run's {target.channels}; "
            "only gray and RGB are brought to each other, give other `channels`"
        )


@torch.no_grad()
def transfer_generator(
    network: Generator, target: Described, source: Described, state: Mapping[str, Tensor]
) -> list[TransferredPart]:
    """Takes what fits from the state of a generator, and tells of what. UserErrors of `check_transfer`.

    A class is taken by its name, as are values of attributes; classes and attributes share nothing. A number of another
    mean and spread keeps its meaning in its own units. A gray image is the mean of a colour image's channels. Without
    labels before, labels have no effect at first.
    """
    check_transfer(source.config, target.config)
    fresh, state = network.state_dict(), _beside(network, state)
    begin_anew = ("mapping.label_weight", "w_count", "w_moments")
    fitting = {name: tensor for name, tensor in state.items() if name not in begin_anew}
    for name in fitting.keys() & fresh.keys():
        if ".to_rgb." in name and not name.endswith(("affine.weight", "affine.bias")):
            fitting[name] = _to_channels(fresh[name], fitting[name], target.config, source.config)
    fitting["synthesis.noise_constant"] = _prefix(fresh["synthesis.noise_constant"], state["synthesis.noise_constant"])
    fitting["mapping.layers.0.weight"] = _first_layer(
        fresh["mapping.layers.0.weight"], state["mapping.layers.0.weight"], target.config, source.config
    )
    embedding = _embedded(fresh, state, target, source)
    fitting |= embedding
    fitting["w_mean"] = _means(state, target, source)
    parts = _take(network, fitting, lambda name: _generator_part(name, target.config))
    return [*parts, *_classes(target, source, taken=bool(embedding))]


@torch.no_grad()
def transfer_discriminator(
    network: Discriminator, target: Described, source: Described, state: Mapping[str, Tensor]
) -> list[TransferredPart]:
    """Transfers as `transfer_generator` does. Gray is what all three channels of a colour image have."""
    check_transfer(source.config, target.config)
    state = _beside(network, state)
    tops = [len(config.block_shapes) - 1 for config in (source.config, target.config)]
    fitting = {}
    for name, tensor in state.items():
        first, _, rest = name.partition(".")
        if first == "blocks":
            index, _, rest = rest.partition(".")
            fitting[f"blocks.{int(index) - tops[0] + tops[1]}.{rest}"] = tensor
        elif first != "from_rgb":
            fitting[name] = tensor
        elif tops[0] == tops[1]:
            fitting[name] = _from_channels(tensor, target.config, source.config) if rest == "weight" else tensor
    embedding = _embedded(network.state_dict(), state, target, source)
    fitting |= embedding
    fitting = _heads(fitting, target.config, source.config)
    parts = _take(network, fitting, lambda name: _discriminator_part(name, target.config))
    return [*parts, *_classes(target, source, taken=bool(embedding))]


def _beside(network: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state on the network's device."""
    device = next(network.parameters()).device
    return {name: tensor.to(device) for name, tensor in state.items()}


def _take(network: nn.Module, fitting: Mapping[str, Tensor], part_of: Callable[[str], str]) -> list[TransferredPart]:
    taken: dict[str, list[bool]] = {}
    for name, tensor in network.state_dict().items():
        fits = name in fitting and fitting[name].shape == tensor.shape
        if fits:
            tensor.copy_(fitting[name])
        taken.setdefault(part_of(name), []).append(fits)
    return [
        TransferredPart(name=name, taken=sum(each), of=len(each)) for name, each in taken.items() if name != NOT_SHOWN
    ]


def _generator_part(name: str, config: NetworkConfig) -> str:
    if name.startswith("synthesis.blocks."):
        height, width = config.block_shapes[int(name.split(".")[2])]
        return f"block {height}x{width}"
    if name.startswith("mapping.layers."):
        return "mapping"
    return NOT_SHOWN


def _discriminator_part(name: str, config: NetworkConfig) -> str:
    first, _, rest = name.partition(".")
    if first == "blocks":
        height, width = config.block_shapes[len(config.block_shapes) - 1 - int(rest.split(".")[0])]
        return f"block {height}x{width}"
    if first == "mapping":
        return NOT_SHOWN if rest.startswith("embed.") else "mapping of labels"
    if first == "from_rgb":
        return "first layer"
    return "head" if first in ("out", "unconditional") else "block {}x{}".format(*config.block_shapes[0])


def _to_channels(fresh: Tensor, trained: Tensor, target: NetworkConfig, source: NetworkConfig) -> Tensor:
    """Weight or bias of a layer that makes images. Masks are taken where there are as many, else fresh."""
    image, masks = trained[: source.channels], trained[source.channels :]
    if source.channels != target.channels:
        image = image.mean(dim=0, keepdim=True) if target.channels == GRAY else image.expand(RGB, *image.shape[1:])
    if source.mask_channels != target.mask_channels:
        masks = fresh[target.channels :]
    return torch.cat([image, masks])


def _from_channels(weight: Tensor, target: NetworkConfig, source: NetworkConfig) -> Tensor:
    """Weight of a layer that takes images: its value for a gray image stays. Masks of another number mean nothing at
    first."""
    image, masks = weight[:, : source.channels], weight[:, source.channels :]
    if source.channels != target.channels:
        summed = image.sum(dim=1, keepdim=True)
        image = summed if target.channels == GRAY else summed.expand(-1, RGB, -1, -1) / RGB
    if source.mask_channels != target.mask_channels:
        masks = image.new_zeros(len(image), target.mask_channels, *image.shape[2:])
    return torch.cat([image, masks], dim=1) * math.sqrt(target.all_channels / source.all_channels)


def _prefix(fresh: Tensor, trained: Tensor) -> Tensor:
    """Noise of all layers, the lowest first."""
    count = min(len(fresh), len(trained))
    return torch.cat([trained[:count], fresh[count:]])


def _first_layer(fresh: Tensor, trained: Tensor, target: NetworkConfig, source: NetworkConfig) -> Tensor:
    """Weight of the mapping's first layer, for z and perhaps a label behind it."""
    if bool(target.c_dim) == bool(source.c_dim) or target.z_dim != source.z_dim:
        return trained
    of_z = trained[:, : source.z_dim] * math.sqrt(fresh.shape[1] / trained.shape[1])
    return torch.cat([of_z, of_z.new_zeros(len(of_z), fresh.shape[1] - source.z_dim)], dim=1)


def _embedded(
    fresh: Mapping[str, Tensor], state: Mapping[str, Tensor], target: Described, source: Described
) -> dict[str, Tensor]:
    """The weight of the embedding of labels, of which columns of the same name are taken."""
    name = "mapping.embed.weight"
    if name not in fresh or name not in state or len(fresh[name]) != len(state[name]):
        return {}
    scale = math.sqrt(target.config.c_dim / source.config.c_dim)
    return {name: _matched(fresh[name], state[name] * scale, target, source)}


def _shared(target: Described, source: Described) -> set[str]:
    """The names of the columns that mean the same in both."""
    alike = bool(target.attributes) == bool(source.attributes)
    return set(target.columns) & set(source.columns) if alike else set()


def _matched(fresh: Tensor, trained: Tensor, target: Described, source: Described) -> Tensor:
    """Of a linear function of label vectors, [n, columns]: the trained columns by their names, the others fresh."""
    columns = fresh.clone()
    shared = _shared(target, source)
    places = [{name: place for place, name in enumerate(one.columns)} for one in (target, source)]
    for name in shared:
        columns[:, places[0][name]] = trained[:, places[1][name]]
    before = {one.name: one for one in source.attributes}
    for number in target.attributes:
        if number.kind == NUMBER and number.name in shared:
            # slope * (v - mean) / spread, in another mean and spread; what is constant goes to the column beside it
            slope = trained[:, places[1][number.name]] / before[number.name].spread
            columns[:, places[0][number.name]] = slope * number.spread
            columns[:, places[0][number.name] + 1] += slope * (number.mean - before[number.name].mean)
    return columns


def _classes(target: Described, source: Described, taken: bool) -> list[TransferredPart]:
    if not target.columns:
        return []
    name, unit = ("label values", "values") if target.attributes else ("classes", "classes")
    shared = _shared(target, source) if taken else ()
    return [TransferredPart(name=name, taken=len(shared), of=len(target.columns), unit=unit)]


def _means(state: Mapping[str, Tensor], target: Described, source: Described) -> Tensor:
    """The trained row of each class, by its name; for a new class the mean of all rows. Of attributes the rows by their
    names, 0 for new ones, and the constant."""
    trained = state["w_mean"]
    of_all = state["w_moments"][-1, : trained.shape[1]] if source.attributes else trained.mean(dim=0)
    if not target.attributes:
        shared = _shared(target, source)
        rows = [trained[source.classes.index(name)] if name in shared else of_all for name in target.classes]
        return torch.stack(rows or [of_all])
    if not source.attributes:
        return torch.cat([trained.new_zeros(target.config.c_dim, trained.shape[1]), of_all[None]])
    fresh = trained.new_zeros(trained.shape[1], target.config.c_dim)
    return torch.cat([_matched(fresh, trained[:-1].t(), target, source).t(), trained[-1:]])


def _heads(fitting: dict[str, Tensor], target: NetworkConfig, source: NetworkConfig) -> dict[str, Tensor]:
    """The outputs: `out` gives a logit without labels, and the factor of a label with them; `unconditional` a logit."""
    if bool(target.c_dim) == bool(source.c_dim):
        return fitting
    before, after = ("unconditional", "out") if source.c_dim else ("out", "unconditional")
    renamed = {
        name.replace(f"{before}.", f"{after}."): fitting[name] for name in fitting if name.startswith(f"{before}.")
    }
    return {
        name: tensor for name, tensor in fitting.items() if not name.startswith(("out.", "unconditional."))
    } | renamed
