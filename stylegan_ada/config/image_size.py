"""The sizes of images that a network can be built for."""

from ..errors import UserError


def block_shapes(height: int, width: int) -> list[tuple[int, int]]:
    """Shapes (height, width) of the network's blocks, the lowest first, each twice the one before.

    The sides must be `a * 2^n` and `b * 2^n` with the shorter factor from 4 to 7 and the longer up to 32;
    other sides are a UserError that names the nearest ones that can be built.
    """
    shorter = min(height, width)
    doublings = shorter.bit_length() - 3 if shorter >= 4 else 0
    a, b = height >> doublings, width >> doublings
    if (a << doublings, b << doublings) != (height, width) or shorter < 4 or max(a, b) > 32:
        nearest_size = "x".join(map(str, _nearest_size(height, width)))
        raise UserError(
            f"`size` {height}x{width}: a network cannot be built for it, the nearest size is {nearest_size} "
            f"(sides are a * 2^n and b * 2^n, the shorter factor from 4 to 7, the longer up to 32)"
        )
    return [(a << n, b << n) for n in range(doublings + 1)]


def nearest_size_within(height: int, width: int) -> tuple[int, int] | None:
    """The size with a network that fits into this one and is nearest to it; None where none fits."""
    sizes = [size for size in _sizes() if size[0] <= height and size[1] <= width]
    # by squares, so that a square is nearest to a square
    return min(sizes, key=lambda size: (height - size[0]) ** 2 + (width - size[1]) ** 2, default=None)


def _nearest_size(height: int, width: int) -> tuple[int, int]:
    """The size with a network whose sides differ least in all from these."""
    return min(_sizes(), key=lambda size: abs(size[0] - height) + abs(size[1] - width))


def _sizes() -> list[tuple[int, int]]:
    return [(a << n, b << n) for n in range(10) for a in range(4, 33) for b in range(4, 33) if min(a, b) <= 7]
