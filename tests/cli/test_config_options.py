import pytest

from stylegan_ada.cli.config_options import with_flags
from stylegan_ada.cli.train import train


def test_help_says_every_default(command):
    for option in train.params:
        has_one = not option.required and option.name != "dry_run"
        assert ("Default: " in option.help) == has_one, option.name
        assert option.help.endswith("."), option.name
    text = " ".join(command("train", "--help").out.split())
    assert "Default: chosen by the size and the device." in text
    assert "Default: 0.0025." in text


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("AugmentConfig.kimg 0.0: give more than 0", "--ada-kimg 0.0: give more than 0"),
        ("TrainingConfig.kimg 0.0: give more than 0", "--kimg 0.0: give more than 0"),
        ("AugmentConfig.signal rv: add DataConfig.holdout 0.1", "--ada-signal rv: add --holdout 0.1"),
        ("TrainingConfig.pl_batch_shrink 0: give 1 or more", "TrainingConfig.pl_batch_shrink 0: give 1 or more"),
        ("RunConfig.training.batch: '3' is not of type int", "RunConfig.training.batch: '3' is not of type int"),
    ],
)
def test_messages_name_flags(message, shown):
    assert with_flags(message) == shown


def test_stop_after_needs_measurements(fails, image_folder, tmp_path):
    arguments = ["train", "--data", image_folder, "--out", tmp_path / "run", "--evaluate-kimg", 0, "--stop-after", 2]
    assert "--stop-after: needs measurements, give --evaluate-kimg as well" in fails(*arguments)
