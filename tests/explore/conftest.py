import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import stylegan_ada
from stylegan_ada.explore.server import open_server
from stylegan_ada.explore.session import Session

TOKEN = "a-token-of-tests"


@dataclass(frozen=True)
class Page:
    """A served page. address: of it, with its token."""

    session: Session
    address: str
    run: Path


@pytest.fixture(scope="session")
def explored_run(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled run with two sheets of samples, which holds out a quarter of its images."""
    folder = tmp_path_factory.mktemp("explored")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        stylegan_ada.train(
            image_folder,
            folder / "run",
            size=16,
            kimg=0.032,
            batch=8,
            channel_base=64,
            channel_max=8,
            holdout=0.25,
            tick_kimg=0.008,
            snapshot_kimg=0.016,
            evaluate_kimg=0,
            device="cpu",
        )
    return folder / "run"


@pytest.fixture(scope="session")
def served() -> Iterator[Callable[..., Page]]:
    """served(run, ...): its page, which a thread serves. More are options of `Session`."""
    servers = []

    def serve(run: Path, **options: Any) -> Page:
        session = Session(run, options.get("data"), "cpu", options.get("hide_real", False))
        server = open_server(session, TOKEN, "127.0.0.1", 0)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
        return Page(session, f"http://127.0.0.1:{server.port}/{TOKEN}/", run)

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
