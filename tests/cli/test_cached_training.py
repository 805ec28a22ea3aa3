"""Once the images are packed, training needs neither the sample's package nor any of the optional ones."""

import subprocess
import sys

BLOCKED = ("albumentations", "kornia", "elpv_dataset", "sklearn")


def test_packed_sample_trains_without_its_package(environment, small, tmp_path):
    arguments = ["train", "--data", "sample:digits", "--kimg", "0.008", *small]
    code = "import sys; from stylegan_ada.cli import main; main(sys.argv[1:])"
    run([sys.executable, "-c", code, *arguments, "--out", tmp_path / "first"], environment)
    block = f"import sys\nfor name in {BLOCKED}: sys.modules[name] = None\n"
    done = run([sys.executable, "-c", block + code, *arguments, "--out", tmp_path / "second"], environment)
    assert "finished" in done.stdout
    other = [*arguments[:2], "sample:digits", "--size", "28", "--out", tmp_path / "third", "--kimg", "0.008"]
    failed = run([sys.executable, "-c", block + code, *other], environment, check=False)
    assert failed.returncode == 2  # not packed in that size: so the block does block
    assert "pip install" in failed.stderr


def run(command, environment, check=True):
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done
