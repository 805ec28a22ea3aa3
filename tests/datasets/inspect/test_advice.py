import re
from typing import Any

import pytest

from stylegan_ada.config.network import nearest_size_within
from stylegan_ada.config.options import TrainOptions
from stylegan_ada.config.resolve import Machine
from stylegan_ada.datasets.inspect.advice import Advice, advise
from stylegan_ada.datasets.inspect.inspection import Inspection, SizeCount

CPU = Machine(cuda=False)


def _inspection(*sizes: tuple[int, int], **values: Any) -> Inspection:
    """1,000 images of two classes."""
    plain: dict[str, Any] = {
        "source": "images",
        "images": 1000,
        "classes": {"a": 500, "b": 500},
        "sizes": [SizeCount(*size, 1000 // len(sizes)) for size in sizes],
        "modes": {"L": 1000},
        "unreadable": [],
        "duplicates": [],
        "near_duplicates": [],
        "gray": True,
        "gray_range": (0, 255),
        "value_range": None,
        "groups": None,
        "labels_refused": None,
        "holdout": 100,
        "warnings": [],
    }
    return Inspection(**plain | values)


def _advise(found: Inspection, **how: Any) -> Advice:
    advice = advise(found, CPU, TrainOptions(data=found.source, **how))
    assert advice is not None
    return advice


def _about(advice: Advice, option: str) -> list[str]:
    return [reason for reason in advice.reasons if re.search(f"`{option}`", reason.partition(":")[0])]


@pytest.mark.parametrize(
    ("sizes", "size"),
    [
        ([(64, 64)], None),
        ([(64, 96)], None),
        ([(300, 300)], "256"),
        ([(319, 319)], "256"),
        ([(50, 50)], "48"),
        ([(64, 64), (80, 70)], "64"),
        ([(480, 640), (640, 480)], "448"),
        ([(130, 200)], "128x192"),
    ],
)
def test_the_size(sizes: list[tuple[int, int]], size: str | None) -> None:
    advice = _advise(_inspection(*sizes))
    assert advice.options.size == size
    (reason,) = _about(advice, "size")
    assert reason.startswith(f"`size` {size}" if size else "no `size`")


def test_a_few_small_images_do_not_decide() -> None:
    sizes = [SizeCount(40, 40, 990), SizeCount(10, 10, 10)]
    advice = _advise(_inspection(sizes=sizes))
    assert advice.options.size == "auto"
    (reason,) = _about(advice, "size")
    assert reason.startswith("`size` auto: 40x40, for which 10 of 1000 images are too small and left out")
    many = [SizeCount(40, 40, 900), SizeCount(10, 10, 100)]  # no few
    assert _advise(_inspection(sizes=many)).options.size == "10"
    little = [SizeCount(48, 48, 990), SizeCount(40, 40, 10)]  # not worth losing any
    assert _advise(_inspection(sizes=little)).options.size == "40"


def test_without_images_or_with_too_small_ones_there_is_no_advice() -> None:
    assert advise(_inspection((3, 100)), CPU, TrainOptions(data="images")) is None
    assert advise(_inspection(sizes=[], images=0), CPU, TrainOptions(data="images")) is None


def test_the_nearest_size_within_is_the_best_of_all() -> None:
    """Against a search through all sizes by the rule in words: a * 2^n and b * 2^n, the shorter factor from 4 to 7, the
    longer up to 32."""

    def can_be_built(height: int, width: int) -> bool:
        factors = [(height / 2**n, width / 2**n) for n in range(8)]
        return any(a % 1 == b % 1 == 0 and 4 <= min(a, b) <= 7 and max(a, b) <= 32 for a, b in factors)

    for height, width in ((37, 37), (37, 90), (45, 51), (5, 39)):
        sizes = [(h, w) for h in range(1, height + 1) for w in range(1, width + 1) if can_be_built(h, w)]
        chosen = nearest_size_within(height, width)
        assert chosen in sizes
        assert (height - chosen[0]) ** 2 + (width - chosen[1]) ** 2 == min(
            (height - h) ** 2 + (width - w) ** 2 for h, w in sizes
        )


@pytest.mark.parametrize(("holdout", "given"), [(49, None), (50, 0.1)])
def test_images_are_held_out_where_there_are_enough(holdout: int, given: float | None) -> None:
    advice = _advise(_inspection((64, 64), holdout=holdout))
    assert advice.options.holdout == given
    (reason,) = _about(advice, "holdout")
    assert f" {holdout} images" in reason


@pytest.mark.parametrize(("small", "told"), [(50, True), (51, False)])
def test_balance_is_only_told_of(small: int, told: bool) -> None:
    advice = _advise(_inspection((64, 64), classes={"a": 500, "b": small}))
    assert len(_about(advice, "balance")) == told
    assert advice.options.balance is None


def test_labels_that_are_refused_are_ignored_and_groups_with_them() -> None:
    found = _inspection((64, 64), classes={"a": 999, "b": 1}, labels_refused="class 'b' is small", groups=5)
    advice = _advise(found)
    assert advice.options.no_labels
    assert advice.options.holdout is None
    assert _about(advice, "no_labels") == ["`no_labels`: class 'b' is small"]
    assert not _about(advice, "label_head")
    assert not _about(advice, "balance")
    assert _advise(_inspection((64, 64)), no_labels=True).options.no_labels
