"""Users that the machine does not know, without a home folder: docker run --user 12345."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stylegan_ada.errors import UserError
from stylegan_ada.files import cache_root

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


@pytest.mark.parametrize("home", [{}, {"HOME": "/"}, {"HOME": "/root"}])
def test_the_cache_is_asked_for(as_nobody: Callable[..., Any], image_folder: Path, home: dict[str, Any]) -> None:
    done = as_nobody("train", "--data", image_folder, "--out", "run", "--dry-run", **home)
    assert done.returncode == 2, done
    assert "STYLEGAN_ADA_CACHE" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_with_a_cache_all_is_quiet(as_nobody: Callable[..., Any], image_folder: Path) -> None:
    small = ["--size", "16", "--batch", "8", "--channel-base", "64", "--channel-max", "8", "--kimg", "0.016"]
    options = ["--data", image_folder, *small, "--evaluate-kimg", "0", "--device", "cpu"]
    done = as_nobody("train", "--out", "quiet", *options, STYLEGAN_ADA_CACHE="cache")
    assert done.returncode == 0, done
    assert "curves.png" in done.stdout
    assert "atplotlib" not in done.stderr


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("STYLEGAN_ADA_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_cache_in_a_home_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", "~/cache")
    assert cache_root() == home / "cache"


def test_the_cache_of_the_desktop(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert cache_root() == Path("/elsewhere/stylegan-ada")


@pytest.mark.parametrize("named", [None, "", "relative/folder", "~/folder"])
def test_the_cache_where_nothing_is_named(home: Path, named: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The XDG base directory specification: unset or empty is ~/.cache, and relative paths are ignored."""
    if named is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", named)
    assert cache_root() == home / ".cache" / "stylegan-ada"


@pytest.mark.parametrize("named", ["", "relative"])
def test_no_home_folder(home: Path, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom the machine does not know has none: ~ stays as it is, and a folder of that name would be made."""
    monkeypatch.delenv("HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    monkeypatch.setattr("pwd.getpwuid", lambda number: {}[number])
    with pytest.raises(UserError, match="STYLEGAN_ADA_CACHE"):
        cache_root()
