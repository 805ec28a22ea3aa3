import pytest

from stylegan_ada.training.transition import label_weight


@pytest.mark.parametrize(
    ("images", "weight"), [(0, 0), (1999, 0), (2000, 0), (2500, 0.25), (3000, 0.5), (4000, 1), (10**9, 1)]
)
def test_labels_come_in_linearly(images, weight):
    assert label_weight(images, (2.0, 4.0)) == weight


def test_a_window_without_length_is_a_step():
    assert [label_weight(images, (1.0, 1.0)) for images in (999, 1000)] == [0, 1]
