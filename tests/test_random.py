import hashlib

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor

from stylegan_ada.random import Draws, splitmix64, stream_key

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15
# first numbers for seed 1234567, as published with the generator
PUBLISHED = [6457827717110365317, 3203168211198807973, 9817491932198370423]


def finalise(z: int) -> int:
    """SplitMix64's output function in Python's unbounded integers."""
    z &= MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def words(seed: int, stream: str, index: int, count: int) -> list[int]:
    """The 64-bit words of an image's sequence, from the definition in the module's docstring."""
    key = int.from_bytes(hashlib.sha256(f"{seed}/{stream}".encode()).digest()[:8], "little")
    key = finalise(index * GAMMA + key)
    return [finalise(key + (j + 1) * GAMMA) for j in range(count)]


def test_splitmix64_gives_the_published_numbers() -> None:
    states = torch.tensor([signed((1234567 + (j + 1) * GAMMA) & MASK) for j in range(3)])
    assert [value & MASK for value in splitmix64(states).tolist()] == PUBLISHED


def test_splitmix64_equals_python_integers() -> None:
    rng = np.random.default_rng(0)
    states = [0, 1, 2**63 - 1, 2**63, MASK, *(int(state) for state in rng.integers(0, MASK, 200, dtype=np.uint64))]
    actual = splitmix64(torch.tensor([signed(state) for state in states]))
    assert [value & MASK for value in actual.tolist()] == [finalise(state) for state in states]


def test_draws_follow_the_definition() -> None:
    indices = [0, 1, 7, 10**9, 2**40]
    uniform = Draws(3, "noise", torch.tensor(indices)).uniform(5).double().numpy()
    normal = Draws(3, "noise", torch.tensor(indices)).normal(8).double().numpy()
    for row, index in enumerate(indices):
        sequence = words(3, "noise", index, 5)
        np.testing.assert_array_equal(uniform[row], [(word >> 40) / 2**24 for word in sequence])
        radius = [np.sqrt(-2 * np.log(((word >> 40) + 1) / 2**24)) for word in sequence[:4]]
        angle = [(word & (2**24 - 1)) / 2**24 * 2 * np.pi for word in sequence[:4]]
        expected = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
        np.testing.assert_allclose(normal[row], expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("count", [1, 100_000])
def test_uniform_and_normal_are_distributed_as_named(count: int) -> None:
    """Many numbers of one image, and one number of many images."""
    draws = Draws(11, "z", torch.arange(100_000 // count))
    uniform, normal = draws.uniform(count).flatten().numpy(), draws.normal(count).flatten().numpy()
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert scipy.stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert scipy.stats.kstest(normal, "norm").pvalue > 1e-3
    assert abs(scipy.stats.kurtosis(normal)) < 0.06


def test_integers_are_uniform() -> None:
    draws = Draws(2, "classes", torch.arange(20_000)).integers(7, 3)
    assert draws.dtype == torch.int64
    assert draws.shape == (20_000, 3)
    counts = torch.bincount(draws.flatten(), minlength=7)
    assert len(counts) == 7
    assert scipy.stats.chisquare(counts.numpy()).pvalue > 1e-3


def test_images_streams_and_seeds_are_independent() -> None:
    count = 40_000
    sequences = [
        Draws(seed, stream, torch.tensor([index])).normal(count)[0].double().numpy()
        for seed, stream, index in [(0, "z", 0), (0, "z", 1), (0, "z", 2), (0, "noise", 0), (1, "z", 0), (1, "z", 1)]
    ]
    correlations = np.corrcoef(sequences) - np.eye(len(sequences))
    assert np.abs(correlations).max() < 5 / np.sqrt(count)
    # nor is one a shifted copy of another: no word occurs twice
    bits = torch.cat([Draws(0, "z", torch.arange(200)).uniform(50).flatten()])
    assert len(bits.unique()) > 0.999 * len(bits)


def test_the_numbers_of_one_image_are_independent() -> None:
    numbers = Draws(5, "z", torch.arange(40_000)).normal(6).double().numpy()
    correlations = np.corrcoef(numbers.T) - np.eye(6)
    assert np.abs(correlations).max() < 5 / np.sqrt(len(numbers))
    # of neighbouring images, too
    assert abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 5 / np.sqrt(len(numbers))
    # the two numbers out of one word: neither their squares
    squares = np.corrcoef(numbers.T**2) - np.eye(6)
    assert np.abs(squares).max() < 5 / np.sqrt(len(numbers))


def draw_all(indices: list[int]) -> list[Tensor]:
    draws = Draws(9, "augment", torch.tensor(indices))
    return [draws.uniform(3), draws.normal(2, 5), draws.integers(10), draws.normal()]


def test_numbers_do_not_depend_on_the_batch() -> None:
    batch = draw_all([4, 17, 3, 99])
    for row, index in enumerate([4, 17, 3, 99]):
        for whole, alone in zip(batch, draw_all([index]), strict=True):
            assert torch.equal(whole[row], alone[0])
    assert [tuple(part.shape) for part in batch] == [(4, 3), (4, 2, 5), (4,), (4,)]


def test_calls_continue_the_sequence() -> None:
    once, twice = Draws(1, "z", torch.arange(3)), Draws(1, "z", torch.arange(3))
    assert torch.equal(once.uniform(10), torch.cat([twice.uniform(4), twice.uniform(6)], dim=1))
    assert not torch.equal(once.uniform(10), Draws(1, "z", torch.arange(3)).uniform(10))


def test_repeatable_and_different_by_seed_stream_and_index() -> None:
    def first(seed: int, stream: str, index: int) -> Tensor:
        return Draws(seed, stream, torch.tensor([index])).uniform(4)[0]

    assert torch.equal(first(1, "z", 2), first(1, "z", 2))
    for other in [(2, "z", 2), (1, "y", 2), (1, "z", 3), (-1, "z", 2)]:
        assert not torch.equal(first(1, "z", 2), first(*other))
    assert stream_key(1, "z") != stream_key(1, "y")


def test_length_and_device() -> None:
    draws = Draws(0, "z", torch.arange(6, dtype=torch.int32))
    assert len(draws) == 6
    assert draws.device == torch.device("cpu")
