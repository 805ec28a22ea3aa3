"""Random numbers as a function of (seed, stream, global image index), and of nothing else.

A run that is resumed, or split over processes, therefore draws what an uninterrupted single process would draw.
The generator is SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators") used by
counter: number j of a sequence is a hash of `key + (j + 1) * GAMMA`. It is written in torch's wrapping int64
arithmetic, so that it runs on the device, for a whole batch at once.
"""

import hashlib
import math

import torch
from torch import Tensor

GAMMA = 0x9E3779B97F4A7C15 - 2**64
MIX_1 = 0xBF58476D1CE4E5B9 - 2**64
MIX_2 = 0x94D049BB133111EB - 2**64


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """Logical (zero-filling) shift of int64, where torch's own is arithmetic."""
    return (x >> bits) & (2 ** (64 - bits) - 1)


def splitmix64(state: Tensor) -> Tensor:
    """The SplitMix64 output function. state: int64 of any shape, read as unsigned; returns int64 of that shape."""
    x = (state ^ _shift_right(state, 30)) * MIX_1
    x = (x ^ _shift_right(x, 27)) * MIX_2
    return x ^ _shift_right(x, 31)


def stream_key(seed: int, stream: str) -> int:
    """A signed 64-bit key for a named stream of a seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{stream}".encode()).digest()[:8], "little", signed=True)


class Draws:
    """The random numbers of a batch of images, one independent sequence per image.

    indices: int64 [N], the images' global indices; its device is where the numbers are made. Each call continues the
    sequences, so the same calls in the same order give the same numbers for an image, whatever batch it travels in.
    """

    def __init__(self, seed: int, stream: str, indices: Tensor):
        self._keys = splitmix64(indices.to(torch.int64) * GAMMA + stream_key(seed, stream))  # [N]
        self._used = 0

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def device(self) -> torch.device:
        return self._keys.device

    def _bits(self, count: int) -> Tensor:
        """int64 [N, count]: the next `count` 64-bit words of each sequence."""
        steps = torch.arange(self._used + 1, self._used + count + 1, device=self.device)
        self._used += count
        return splitmix64(self._keys[:, None] + steps * GAMMA)

    def uniform(self, *shape: int) -> Tensor:
        """float32 [N, *shape], uniform on [0, 1), multiples of 2^-24."""
        bits = self._bits(math.prod(shape))
        return (_shift_right(bits, 40).float() * 2.0**-24).reshape(len(self), *shape)

    def normal(self, *shape: int) -> Tensor:
        """float32 [N, *shape], standard normal, by Box & Muller (1958): two numbers out of one 64-bit word."""
        count = math.prod(shape)
        bits = self._bits((count + 1) // 2)
        # (0, 1], so that the logarithm is finite
        radius = (-2 * ((_shift_right(bits, 40).float() + 1) * 2.0**-24).log()).sqrt()
        angle = (bits & (2**24 - 1)).float() * (2 * math.pi * 2.0**-24)
        pairs = torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)
        return pairs[:, :count].reshape(len(self), *shape)

    def integers(self, high: int, *shape: int) -> Tensor:
        """int64 [N, *shape], uniform on 0 ... high - 1 (high at most 2^24)."""
        return (self.uniform(*shape).double() * high).long()
