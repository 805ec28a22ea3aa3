import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from stylegan_ada.leaks.verdict import LeakVerdict, leaks


@pytest.mark.parametrize(
    ("share", "without", "expected"),
    [(0.5, 0.01, True), (0.035, 0.01, True), (0.029, 0.01, False), (0.01, 0.5, False), (0.0, 0.0, False)],
)
def test_two_points_more(share: float, without: float, expected: bool) -> None:
    assert leaks(share, without, 4000) is expected


def test_chance_is_no_leak() -> None:
    """Of few images two points more happen by chance; the bound is that of the difference of two shares."""
    count, without = 100, 0.3
    spread = norm.ppf(0.975) * np.sqrt(2 * without * (1 - without) / count)
    assert not leaks(without + 0.9 * spread, without, count)
    assert leaks(without + 1.1 * spread, without, count)


def verdict(
    at_zero: tuple[float, float, float], at_half: tuple[float, float, float], at_one: tuple[float, float, float]
) -> Any:
    """Shares of "as it is", "mirrored" and "blur"."""
    names = ("as it is", "mirrored", "blur")
    by_p = {0.0: at_zero, 0.5: at_half, 1.0: at_one}
    return LeakVerdict(
        p=0.5,
        generated=4000,
        recognised=dict(zip(names, (0.99, 0.875, 0.75), strict=True)),
        shares={p: dict(zip(names, shares, strict=True)) for p, shares in by_p.items()},
    )


def test_what_leaks_and_what_does_not() -> None:
    found = verdict((0.97, 0.01, 0.02), (0.79, 0.19, 0.02), (0.1, 0.5, 0.4))
    assert found.leaking == ["mirrored"]
    assert found.not_shown == []
    lines = found.lines()
    assert lines[0].split() == ["recognised", "p", "=", "0", "p", "=", "0.5", "p", "=", "1"]
    assert [line.split() for line in lines[2:4]] == [
        ["mirrored", "87.5%", "1.0%", "19.0%", "50.0%"],
        ["blur", "75.0%", "2.0%", "2.0%", "40.0%"],
    ]
    assert lines[-1].startswith("mirrored leaks at p = 0.5: +18.0% of the images; ")


def test_nothing_leaks() -> None:
    found = verdict((0.97, 0.01, 0.02), (0.965, 0.015, 0.02), (0.1, 0.5, 0.4))
    assert found.leaking == []
    assert "at p = 0.5 nothing leaks" in found.lines()[-1]


def test_generators_that_have_not_learned() -> None:
    good, poor = (verdict((share, 0.9 - share, 0.1), (0.5, 0.1, 0.4), (0.1, 0.5, 0.4)) for share in (0.81, 0.79))
    assert not any("have not learned" in line for line in good.lines())
    assert any(line.startswith("at p = 0 only 79%") for line in poor.lines())


def test_what_is_not_found_at_one() -> None:
    """An image has one name, so that what everybody has hides the rest."""
    found = verdict((0.98, 0.01, 0.01), (0.98, 0.01, 0.01), (0.01, 0.01, 0.98))
    assert found.not_shown == ["mirrored"]
    assert "98% are taken for blur" in found.lines()[-1]
    assert "a check without blur" in found.lines()[-1]
    found = verdict((0.98, 0.01, 0.01), (0.98, 0.01, 0.01), (0.98, 0.0, 0.02))
    assert found.lines()[-1].startswith("not found at p = 1 either: mirrored, blur")


def test_the_file(tmp_path: Path) -> None:
    found = verdict((0.97, 0.01, 0.02), (0.79, 0.19, 0.02), (0.1, 0.88, 0.02))
    found.write(tmp_path / "leaks.json")
    assert json.loads((tmp_path / "leaks.json").read_text()) == {
        "p": 0.5,
        "generated": 4000,
        "recognised": {"as it is": 0.99, "mirrored": 0.875, "blur": 0.75},
        "leaking": ["mirrored"],
        "not_shown": ["blur"],
        "shares": {
            "0": {"as it is": 0.97, "mirrored": 0.01, "blur": 0.02},
            "0.5": {"as it is": 0.79, "mirrored": 0.19, "blur": 0.02},
            "1": {"as it is": 0.1, "mirrored": 0.88, "blur": 0.02},
        },
    }
