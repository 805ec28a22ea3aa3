import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.datasets import load_dataset
from stylegan_ada.errors import UserError


def _png(seed: int) -> tuple[np.ndarray, bytes]:
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return pixels, stream.getvalue()


def _tar(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


def _shards(folder: Path, names: bool) -> None:
    for shard in range(2):
        files = {}
        for number in range(4):
            key, label = f"{number % 2:04d}-{shard}{number}", number % 2
            files[f"{key}.png"] = _png(10 * shard + number)[1]
            files[f"{key}.cls"] = str(label).encode()
            if names:
                files[f"{key}.json"] = json.dumps({"label": ["good", "crack"][label]}).encode()
        _tar(folder / f"shard-{shard:06d}.tar", files)


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("given", ["{}", "{}/shard-{{000000..000001}}.tar"])
def test_shards(tmp_path: Path, names: bool, given: str) -> None:
    _shards(tmp_path / "set", names)
    found = load_dataset(given.format(tmp_path / "set"))
    assert found.classes == (("crack", "good") if names else ("0", "1"))
    assert len(found) == 8
    assert not found.skipped
    place = found.names.index("shard-000001.tar/0001-13.png")
    assert np.array_equal(found.images[place].transpose(1, 2, 0), _png(13)[0])
    assert found.labels is not None
    assert found.classes[found.labels[place]] == ("crack" if names else "1")


def test_one_tar(tmp_path: Path) -> None:
    _shards(tmp_path / "set", names=True)
    assert len(load_dataset(str(tmp_path / "set/shard-000000.tar"))) == 4
    plain = _tar(tmp_path / "plain.tar", {f"set/{label}/{n}.png": _png(n)[1] for label in "ab" for n in range(2)})
    assert load_dataset(str(plain)).classes == ("a", "b")


def test_a_folder_of_images_stays_one(tmp_path: Path) -> None:
    _shards(tmp_path / "set", names=True)
    (tmp_path / "set/cat").mkdir()
    (tmp_path / "set/cat/1.png").write_bytes(_png(1)[1])
    assert load_dataset(str(tmp_path / "set")).names == ("1.png",)


def test_damaged_tars(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tar"
    bad.write_bytes(b"no tar" * 1000)
    with pytest.raises(UserError, match="cannot read the tar"):
        load_dataset(str(bad))
    whole = _tar(tmp_path / "whole.tar", {f"{n}.png": _png(n)[1] for n in range(3)}).read_bytes()
    bad.write_bytes(whole[: whole.index(b"2.png") + 600])
    with pytest.raises(UserError, match="unexpected end of data"):
        load_dataset(str(bad))
    unlabelled = _tar(tmp_path / "u.tar", {"a.png": _png(0)[1], "a.cls": b"x"})
    with pytest.raises(UserError, match=r"'a.cls' holds no number"):
        load_dataset(str(unlabelled))
