"""Parameters of StyleGAN2-ADA's networks under the names of ours.

Facts of that format: a resolution r has a block b<r> with conv0 (which doubles the size; not in the lowest), conv1 and
torgb; in the discriminator fromrgb (in the highest), conv0, conv1 and skip, and in the lowest conv, fc and out. The
mathematics is the same (arXiv 1912.04958), so that weights are taken as they are.
"""

import re

import torch
from torch import Tensor

from ..config import NetworkConfig
from ..errors import UserError
from .arguments import check_arguments, clamp_of, half_blocks
from .stored_network import StoredNetwork

SIDE = "b(?P<side>[1-9][0-9]{0,4})"
INDEX = "(?P<index>[0-9]{1,3})"
REST = "(?P<rest>.+)"
GENERATOR_NAMES = (  # theirs, ours
    (rf"mapping\.embed\.{REST}", "mapping.embed.{rest}"),
    (rf"mapping\.fc{INDEX}\.{REST}", "mapping.layers.{index}.{rest}"),
    (rf"synthesis\.{SIDE}\.const", "synthesis.blocks.{level}.learned_input"),
    (rf"synthesis\.{SIDE}\.conv0\.{REST}", "synthesis.blocks.{level}.layers.0.{rest}"),
    (rf"synthesis\.{SIDE}\.conv1\.{REST}", "synthesis.blocks.{level}.layers.{last}.{rest}"),
    (rf"synthesis\.{SIDE}\.torgb\.{REST}", "synthesis.blocks.{level}.to_rgb.{rest}"),
)
DISCRIMINATOR_NAMES = (
    (rf"mapping\.embed\.{REST}", "mapping.embed.{rest}"),
    (rf"mapping\.fc{INDEX}\.{REST}", "mapping.layers.{index}.{rest}"),
    (rf"{SIDE}\.fromrgb\.{REST}", "from_rgb.{rest}"),
    (rf"{SIDE}\.(?P<index>conv0|conv1|skip)\.{REST}", "blocks.{from_top}.{index}.{rest}"),
    (rf"b4\.(?P<index>conv|fc|out)\.{REST}", "{index}.{rest}"),
)
HIGHEST = 2048  # pixels; noise is made for layers that have none
MOST_CLASSES = 100_000
NOT_TAKEN = re.compile(r"(.*\.)?(resample_filter|noise_const|w_avg)")  # checked, or taken apart from the others
STYLEGAN3_LAYER = re.compile(r"synthesis\.L\d+_\d+_\d+")


def generator_config(stored: StoredNetwork, name: str) -> NetworkConfig:
    """The configuration of ours that computes what this generator does. UserError where there is none."""
    if any(STYLEGAN3_LAYER.fullmatch(module) for module in stored.attributes):
        raise UserError(f"{name}: a generator of StyleGAN3's own, only its stylegan2 configuration is read")
    check_arguments(stored, name, "skip")
    sides = sorted(
        int(match["side"]) for module in stored.attributes if (match := re.fullmatch(rf"synthesis\.{SIDE}", module))
    )
    if not sides or sides != [4 << level for level in range(len(sides))]:
        raise UserError(f"{name}: not a generator as StyleGAN2-ADA stores it, it has the resolutions {sides[:20]}")
    if sides[-1] > HIGHEST:
        raise UserError(f"{name}: {sides[-1]} pixels wide, at most {HIGHEST} are read")
    widths = [_square(stored, f"synthesis.b{side}.conv1.weight", name) for side in sides]
    _shaped(stored, "synthesis.b4.const", (widths[0], 4, 4), name)
    w_dim = _shaped(stored, "synthesis.b4.conv1.affine.weight", (widths[0], None), name)[1]
    # with these no network of ours is larger than the file, whatever else it lacks
    for level, (side, width) in enumerate(zip(sides, widths, strict=True)):
        if level:
            _shaped(stored, f"synthesis.b{side}.conv0.weight", (width, widths[level - 1], 3, 3), name)
            _shaped(stored, f"synthesis.b{side}.conv0.affine.weight", (widths[level - 1], w_dim), name)
        _shaped(stored, f"synthesis.b{side}.conv1.affine.weight", (width, w_dim), name)
        _shaped(stored, f"synthesis.b{side}.torgb.affine.weight", (width, w_dim), name)
    channels = _shaped(stored, f"synthesis.b{sides[-1]}.torgb.weight", (None, widths[-1], 1, 1), name)[0]
    c_dim = (
        _shaped(stored, "mapping.embed.weight", (w_dim, None), name)[1]
        if "mapping.embed.weight" in stored.tensors
        else 0
    )
    width = _shaped(stored, "mapping.fc0.weight", (w_dim, None), name)[1]
    z_dim = width - (w_dim if c_dim else 0)
    if z_dim < 1 or c_dim > MOST_CLASSES:
        raise UserError(f"{name}: z of {z_dim} numbers and {c_dim:,} classes, which is not read")
    halves = half_blocks(stored)
    base, most = _base_and_most(widths, sides, name)
    return NetworkConfig(
        channels=channels,
        height=sides[-1],
        width=sides[-1],
        c_dim=c_dim,
        z_dim=z_dim,
        w_dim=w_dim,
        mapping_depth=_depth(stored, w_dim, name),
        label_head="inner",
        channel_base=base,
        channel_max=most,
        precision="fp16" if halves else "fp32",
        half_resolutions=halves or 4,
        conv_clamp=clamp_of(stored, name),
    )


def generator_tensors(stored: StoredNetwork, config: NetworkConfig, name: str) -> dict[str, Tensor]:
    """The state of a `Generator` of `config`. The mean of w holds for all classes."""
    tensors = _renamed(stored, GENERATOR_NAMES, config, name)
    sides = [height for height, _ in config.block_shapes]
    noises = []
    for level, side in enumerate(sides):
        for layer, conv in enumerate(("conv0", "conv1") if level else ("conv1",)):
            where = f"synthesis.b{side}.{conv}"
            strength = f"synthesis.blocks.{level}.layers.{layer}.noise_strength"
            if stored.setting(where, "use_noise", True) is False:  # as noise of strength 0
                tensors[strength], noise = torch.zeros(()), torch.zeros(side, side)
            else:
                _shaped(stored, f"{where}.noise_strength", (), name)
                _shaped(stored, f"{where}.noise_const", (side, side), name)
                noise = stored.tensors[f"{where}.noise_const"]
            noises.append(noise.float().flatten())
    tensors["synthesis.noise_constant"] = torch.cat(noises)
    _shaped(stored, "mapping.w_avg", (config.w_dim,), name)
    tensors["w_mean"] = stored.tensors["mapping.w_avg"].float().repeat(max(1, config.c_dim), 1)
    tensors["w_count"] = torch.zeros(max(1, config.c_dim))  # not known
    return tensors


def discriminator_tensors(
    stored: StoredNetwork, config: NetworkConfig, name: str
) -> tuple[dict[str, Tensor], int | None]:
    """The state of a `Discriminator` of the generator's `config`, and the depth of its label mapping, None without
    labels. UserError where it computes something else."""
    check_arguments(stored, name, "resnet")
    if clamp_of(stored, name) != config.conv_clamp:
        raise UserError(f"{name}: its `conv_clamp` is not the generator's, which is not read")
    lowest = config.block_channels(0)
    _shaped(stored, f"b{config.height}.fromrgb.weight", (None, None, 1, 1), name)
    for level, (side, _) in enumerate(config.block_shapes):
        if level:
            _shaped(stored, f"b{side}.conv0.weight", (config.block_channels(level),) * 2 + (3, 3), name)
            below = config.block_channels(level - 1)
            _shaped(stored, f"b{side}.conv1.weight", (below, config.block_channels(level), 3, 3), name)
    _shaped(stored, "b4.conv.weight", (lowest, lowest + 1, 3, 3), name)
    _shaped(stored, "b4.fc.weight", (lowest, lowest * 16), name)
    if not config.c_dim:
        return _renamed(stored, DISCRIMINATOR_NAMES, config, name), None
    _shaped(stored, "mapping.embed.weight", (lowest, config.c_dim), name)
    return _renamed(stored, DISCRIMINATOR_NAMES, config, name), _depth(stored, lowest, name)


def _renamed(
    stored: StoredNetwork, names: tuple[tuple[str, str], ...], config: NetworkConfig, name: str
) -> dict[str, Tensor]:
    """The stored tensors in float32, by our names."""
    levels = {height: level for level, (height, _) in enumerate(config.block_shapes)}
    tensors = {}
    for theirs, tensor in stored.tensors.items():
        if not tensor.is_floating_point():
            raise UserError(f"{name}.{theirs}: whole numbers, where StyleGAN2-ADA stores fractions")
        numbers = tensor.float().contiguous()
        if not torch.isfinite(numbers).all():
            raise UserError(f"{name}.{theirs}: NaN or infinite values, take an earlier snapshot")
        if NOT_TAKEN.fullmatch(theirs):
            continue
        ours = _our_name(theirs, names, levels)
        if ours is None or ours in tensors:
            raise UserError(f"{name}.{theirs}: a parameter that is not known here")
        tensors[ours] = numbers
    return tensors


def _our_name(theirs: str, names: tuple[tuple[str, str], ...], levels: dict[int, int]) -> str | None:
    for pattern, ours in names:
        if (match := re.fullmatch(pattern, theirs)) is not None:
            found = match.groupdict()
            level = levels.get(int(found.get("side") or min(levels)))
            if level is None:
                return None
            places = {"level": level, "last": min(level, 1), "from_top": len(levels) - 1 - level}
            return ours.format(**found, **places)
    return None


def _depth(stored: StoredNetwork, width: int, name: str) -> int:
    """Fully connected layers of a mapping network."""
    depth = sum(re.fullmatch(r"mapping\.fc[0-9]+\.weight", tensor) is not None for tensor in stored.tensors)
    for index in range(1, depth):
        _shaped(stored, f"mapping.fc{index}.weight", (width, width), name)
    return depth


def _base_and_most(widths: list[int], sides: list[int], name: str) -> tuple[int, int]:
    """`channel_base` and `channel_max` of a generator: a block has min(base // side, most) channels."""
    most = max(widths)
    base = max(width * side for width, side in zip(widths, sides, strict=True))
    if widths != [min(base // side, most) for side in sides]:
        raise UserError(
            f"{name}: its blocks have {widths} channels, only half as many per doubling below a maximum are read"
        )
    return base, most


def _square(stored: StoredNetwork, tensor: str, name: str) -> int:
    """The channels of a 3x3 convolution between equally many."""
    count = _shaped(stored, tensor, (None, None, 3, 3), name)[0]
    _shaped(stored, tensor, (count, count, 3, 3), name)
    return count


def _shaped(stored: StoredNetwork, tensor: str, shape: tuple[int | None, ...], name: str) -> tuple[int, ...]:
    """The tensor's shape, which must be this one, with None for any side."""
    if tensor not in stored.tensors:
        raise UserError(f"{name}.{tensor}: missing")
    found = tuple(stored.tensors[tensor].shape)
    if len(found) != len(shape) or any(wanted not in (None, side) for side, wanted in zip(found, shape, strict=True)):
        wanted_shape = "x".join("any" if side is None else str(side) for side in shape)
        found_shape = "x".join(map(str, found)) or "a single number"
        raise UserError(f"{name}.{tensor}: its shape is {found_shape}, not {wanted_shape or 'a single number'}")
    if 0 in found:
        raise UserError(f"{name}.{tensor}: it is empty")
    return found
