import pytest

from stylegan_ada import UserError
from stylegan_ada.synthetic import Recipe, block_seeds, counts_in_shares, counts_to_fill
from stylegan_ada.synthetic.plan import truncation_psi_by_kind


def test_no_two_images_share_a_seed() -> None:
    seeds = [
        seed
        for of_set in (0, 1, 2**31 - 1)
        for label in range(3)
        for block in range(5)
        for seed in block_seeds(of_set, 3, label, block)
    ]
    assert len(set(seeds)) == len(seeds) == 3 * 3 * 5 * 32
    assert max(seeds) < 2**63


def test_counts_are_in_shares() -> None:
    counts = counts_in_shares((700, 200, 99, 1), 50)
    assert sum(counts) == 50
    for count, share in zip(counts, (35, 10, 4.95, 0.05), strict=True):
        assert abs(count - share) < 1
    assert counts_in_shares((), 7) == (7,)


def test_counts_to_fill() -> None:
    assert counts_to_fill({"b": 2, "a": 9, "c": 9}, ("a", "b", "c")) == (0, 7, 0)
    with pytest.raises(UserError, match="class 'c' of the generator: the set to fill has none"):
        counts_to_fill({"a": 1, "b": 2}, ("a", "b", "c"))
    with pytest.raises(UserError, match="nothing to fill"):
        counts_to_fill({"a": 2, "b": 2}, ("a", "b"))


def test_truncation_of_one_class_goes_before_that_of_all() -> None:
    assert truncation_psi_by_kind(("mono-0.33=0.5", "0.7"), ("mono-0.33", "poly")) == (0.5, 0.7)
    assert truncation_psi_by_kind((), ("mono", "poly")) == (1, 1)
    assert truncation_psi_by_kind(("0.7",), ()) == (0.7,)
    with pytest.raises(UserError, match="without labels"):
        truncation_psi_by_kind(("a=1",), ())


def test_a_recipe_for_nothing() -> None:
    with pytest.raises(UserError, match="no images to make"):
        Recipe(counts=(0, 0), psi=(1, 1))
