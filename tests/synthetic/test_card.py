from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stylegan_ada.config import DataConfig
from stylegan_ada.synthetic.card import data_card


@pytest.fixture
def facts() -> dict[str, Any]:
    nothing = {"copies": 0, "mislabelled": 0, "not_best": 0, "duplicates": 0}
    one = {"name": "a|b", "asked": 5, "images": 4, "psi": 0.7, "candidates": 90, "rejected": nothing | {"copies": 86}}
    return {
        "version": "9.9", "torch": "2", "device": "cpu", "precision": "fp32", "seed": 3, "images_seen": 1000,
        "generator_sha256": "abc123", "image_shape": [1, 16, 32], "shards": False, "format": "png", "quality": 95,
        "classes": ["a|b"], "per_class": [one], "reject_copies": True, "reject_mislabelled": False,
        "reject_duplicates": False, "keep_best": 1.0, "features": "lite",
    }  # fmt: skip


def test_a_card_says_what_made_the_set_and_what_was_rejected(
    facts: dict[str, Any], tiny_config: Callable[..., Any]
) -> None:
    config = replace(tiny_config(), data=DataConfig(data="sample:elpv"))
    card = data_card(facts, config, {"fid": 12.345, "images": 1000, "note": "text"})
    for words in (
        "abc123",
        "stylegan_ada 9.9",
        "4 synthetic images",
        "16x32",
        "CC BY-NC-SA",
        "| fid | 12.3",
        "never test",
    ):
        assert words in card
    assert "`reject_copies` (nearer to a training image than unseen real images are): 86 rejected" in card
    assert "| a\\|b | 4 | 5 | 0.7 | 90 |" in card
    assert "reject_mislabelled" not in card


def test_what_is_not_known_is_said(facts: dict[str, Any]) -> None:
    card = data_card(facts | {"reject_copies": False})
    assert "Not known" in card
    assert "Nothing was measured" in card
    assert "None: these are the images of consecutive seeds" in card
