"""Requests without a browser: who is let in, what comes of nonsense, and what is written."""

import base64
import http.client
import io
import json
import random
import shutil
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from stylegan_ada import load_generator
from stylegan_ada.checkpoint import GeneratorInfo, save_generator
from stylegan_ada.config import NetworkConfig
from stylegan_ada.explore.app import ROUTES, make_app
from stylegan_ada.explore.session import Session
from stylegan_ada.networks import Generator
from stylegan_ada.pictures.masks import with_contours

TOKEN = "secret-of-a-test"
HOME = {"Host": "127.0.0.1:8000"}


@pytest.fixture(scope="module")
def run(explored_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("requests") / "run"
    shutil.copytree(explored_run, folder)
    return folder


@pytest.fixture(scope="module")
def session(run: Path) -> Session:
    return Session(run, None, "cpu", hide_real=False)


@pytest.fixture
def client(session: Session) -> Any:
    return make_app(session, TOKEN, "127.0.0.1").test_client()


@pytest.fixture
def ask(client: Any) -> Callable[..., Any]:
    """ask(path, values): POST with JSON, without values GET."""

    def ask(path: str, values: Any = None, **headers: str) -> Any:
        address, headers = f"/{TOKEN}/{path}", {**HOME, **headers}
        return (
            client.get(address, headers=headers)
            if values is None
            else client.post(address, json=values, headers=headers)
        )

    return ask


def test_only_the_token_opens_the_page(client: Any) -> None:
    assert client.get(f"/{TOKEN}/", headers=HOME).status_code == 200
    for path in (
        "/",
        "/page.html",
        "/api/about",
        f"/{TOKEN[:-1]}/",
        f"/{TOKEN}x/",
        f"//{TOKEN}/",
        f"/x/../{TOKEN[1:]}/",
    ):
        answer = client.get(path, headers=HOME)
        assert answer.status_code == 404
        assert TOKEN.encode() not in answer.data


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:8000", True),
        ("localhost:1", True),
        ("LOCALHOST", True),
        ("[::1]:9", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example:8000", False),
        ("192.168.0.7:8000", False),
        ("localhost@evil.example", False),
    ],
)
def test_hosts_of_a_page_for_this_machine(host: str, allowed: bool, client: Any) -> None:
    """A tunnel may change the port; DNS rebinding brings another name."""
    assert client.get(f"/{TOKEN}/", headers={"Host": host}).status_code == (200 if allowed else 403)


def test_hosts_of_a_page_for_others(session: Session) -> None:
    """An address serves, a name of someone else's does not."""
    client = make_app(session, TOKEN, "0.0.0.0").test_client()
    for host, code in (("192.168.0.7:8000", 200), ("localhost", 200), ("evil.example", 403)):
        assert client.get(f"/{TOKEN}/", headers={"Host": host}).status_code == code


def test_other_origins_are_refused(ask: Callable[..., Any]) -> None:
    values = {"first": 0, "count": 1, "psi": 1}
    assert ask("api/images", values, Origin="http://127.0.0.1:8000").status_code == 200
    for origin in ("http://evil.example", "null", "http://127.0.0.1:8001", "https://127.0.0.1.evil.example"):
        assert ask("api/images", values, Origin=origin).status_code == 403


def test_the_policy_lets_nothing_in_from_elsewhere(ask: Callable[..., Any], root: Path) -> None:
    answer = ask("")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    for path in (root / "stylegan_ada" / "explore" / "static").iterdir():
        found = ask(path.name)
        assert found.status_code == 200
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text
        assert "style=" not in text


def test_a_seed_gives_the_image_of_the_command(ask: Callable[..., Any], run: Path) -> None:
    found = ask("api/images", {"first": 7, "count": 3, "psi": 0.5, "label": {"class": "dark"}}).json
    made = load_generator(run).sample([7, 8, 9], ["dark"] * 3, 0.5)
    for item, image in zip(found["items"], made, strict=True):
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(item["png"].split(",")[1]))))
        assert np.abs(shown.astype(int) - image[..., 0]).max() <= 1
    assert found["command"].endswith(f"{run} --seeds 7-9 --psi 0.5 --label dark --out images")


def test_real_images_can_be_hidden(run: Path) -> None:
    app = make_app(Session(run, None, "cpu", hide_real=True), TOKEN, "127.0.0.1").test_client()
    item = app.post(f"/{TOKEN}/api/images", json={"first": 0, "count": 1, "psi": 1}, headers=HOME).json["items"][0]
    answer = app.get(f"/{TOKEN}/api/items/{item['id']}/nearest", headers=HOME)
    assert answer.status_code == 400
    assert "hidden" in answer.json["error"]


def test_a_run_without_a_generator_shows_its_training(run: Path, tmp_path: Path) -> None:
    """Until the first samples; then it is opened on demand, and the tray stays."""
    young = tmp_path / "young"
    shutil.copytree(run, young)
    files = {name: (young / name).read_bytes() for name in ("generator.safetensors",)}
    (young / "generator.safetensors").unlink()
    session = Session(young, None, "cpu", hide_real=False)
    app = make_app(session, TOKEN, "127.0.0.1").test_client()
    values = {"first": 0, "count": 1, "psi": 1}
    refused = app.post(f"/{TOKEN}/api/images", json=values, headers=HOME)
    assert (refused.status_code, "no generator yet" in refused.json["error"]) == (400, True)
    assert app.get(f"/{TOKEN}/api/training", headers=HOME).json["newer"] is False
    for name, content in files.items():
        (young / name).write_bytes(content)
    assert app.get(f"/{TOKEN}/api/training", headers=HOME).json["newer"] is True
    assert app.post(f"/{TOKEN}/api/reload", headers=HOME).json["ready"] is True
    item = app.post(f"/{TOKEN}/api/images", json=values, headers=HOME).json["items"][0]
    app.post(f"/{TOKEN}/api/tray", json={"id": item["id"], "kept": True}, headers=HOME)
    app.post(f"/{TOKEN}/api/reload", headers=HOME)
    kept = app.get(f"/{TOKEN}/api/tray", headers=HOME).json["items"]
    assert [one["png"] for one in kept] == [item["png"]]


def test_a_generator_without_labels_and_with_masks(tmp_path: Path) -> None:
    network = NetworkConfig(
        channels=1, height=16, width=16, mask_channels=1, z_dim=8, w_dim=8, channel_base=64, channel_max=8
    )
    info = GeneratorInfo(network=network, classes=(), class_counts=(), images_seen=0, mask_kinds=("crack",))
    save_generator(tmp_path / "g.safetensors", Generator(network), info)
    app = make_app(Session(tmp_path / "g.safetensors", None, "cpu", False), TOKEN, "127.0.0.1").test_client()
    about = app.get(f"/{TOKEN}/api/about", headers=HOME).json
    assert (about["attributes"], about["mask_kinds"], about["directions"]["labels"]) == ([], ["crack"], [])
    found = app.post(f"/{TOKEN}/api/images", json={"first": 0, "count": 2, "psi": 1}, headers=HOME).json
    images, masks = load_generator(tmp_path / "g.safetensors").sample_pairs([0, 1])
    for item, image, mask in zip(found["items"], images, masks, strict=True):
        assert item["label"] == ""
        plain, marked = (
            np.asarray(Image.open(io.BytesIO(base64.b64decode(item[name].split(",")[1])))) for name in ("png", "marked")
        )
        assert np.abs(plain.astype(int) - image[..., 0]).max() <= 1
        assert (marked == with_contours(image[None], mask[None])[0]).mean() > 0.95
    asked = {"first": 0, "count": 1, "psi": 1, "label": {"class": "x"}}
    assert "without labels" in app.post(f"/{TOKEN}/api/images", json=asked, headers=HOME).json["error"]
    assert "no run here" in app.get(f"/{TOKEN}/api/training", headers=HOME).json["error"]


@pytest.mark.parametrize(
    ("path", "values", "words"),
    [
        ("api/images", {"first": -1, "count": 1, "psi": 1}, "first: give a whole number"),
        ("api/images", {"first": 0, "count": 65, "psi": 1}, "count: give a whole number from 1 to 64"),
        ("api/images", {"first": 0, "count": True, "psi": 1}, "count"),
        ("api/images", {"first": 0, "count": 1, "psi": "1"}, "psi: give a number"),
        ("api/images", {"first": 0, "count": 1, "psi": 1, "label": {"class": "drak"}}, "no such value"),
        ("api/images", {"first": 0, "count": 1, "psi": 1, "label": {"clas": "dark"}}, "did you mean 'class'"),
        ("api/images", [1], "no JSON object"),
        ("api/varied", {"id": "0" * 16, "strength": 0.3, "count": 8, "seed": 0}, "no longer known"),
        ("api/sets", {"count": 10**9, "psi": 1}, "count"),
    ],
)  # fmt: skip
def test_wrong_values_are_one_line(path: str, values: Any, words: str, ask: Callable[..., Any]) -> None:
    answer = ask(path, values)
    assert answer.status_code == 400
    assert words in answer.json["error"]
    assert "\n" not in answer.json["error"]


def test_no_nonsense_is_an_error_of_the_server(served: Callable[..., Any], run: Path, session: Session) -> None:
    """1,000 requests of chance: paths, methods, sizes, JSON, uploads, headers. Nothing is written but in the run's own
    folder for this, and no answer without the token is 200."""
    page = served(run)
    split = urlsplit(page.address)
    rng = random.Random(0)
    before = {path: path.stat().st_mtime_ns for path in run.parent.rglob("*.*") if "explore" not in path.parts}
    item = page.session.bench().seeds(0, 1, None, 1.0)[0]["id"]
    codes: dict[int, int] = {}
    for _ in range(1000):
        known = rng.random() < 0.8
        path, method, body, headers = nonsense(rng, split.path if known else "/", item)
        connection = http.client.HTTPConnection(split.hostname, split.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            answer.read()
            codes[answer.status] = codes.get(answer.status, 0) + 1
            assert answer.status < 500, (method, path, body[:200], headers)
            assert known or answer.status != 200, (method, path, headers)
        except (http.client.HTTPException, ConnectionError, ValueError):
            codes[0] = codes.get(0, 0) + 1  # the server hung up, or http.client would not say it
        finally:
            connection.close()
    assert codes.get(200, 0) > 30, codes
    assert codes.get(400, 0) > 100, codes
    assert codes.get(0, 0) < 200, codes
    for job in page.session.jobs.all():
        page.session.jobs.stop(job.number)
    after = {path: path.stat().st_mtime_ns for path in run.parent.rglob("*.*") if "explore" not in path.parts}
    assert after == before
    assert page.session.bench().seeds(0, 1, None, 1.0)[0]["id"] == item  # it still works


def nonsense(rng: random.Random, top: str, item: str) -> tuple[str, str, bytes, dict[str, str]]:
    """A path, a method, a body, headers."""
    known, address = rng.choice([pair[:2] for pair in ROUTES] + [("GET", ""), ("GET", "page.html"), ("GET", "main.js")])
    path = top + ("api/" if "." not in address and address else "") + address
    path = path.replace("<int:number>", rng.choice(["1", "0", "-1", "9" * 40, "x"])).replace(
        "<name>", rng.choice([item, "0" * 16, "..", "%00", "a" * 3000])
    )
    if rng.random() < 0.2:
        up = "%2e%2e%2f" * 9
        path += rng.choice(["/../../etc/passwd", f"{up}etc%2fpasswd", "?x=" + "y" * 500, "%ff%fe", "\\..\\x"])
    method = known if rng.random() < 0.8 else rng.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE"])
    values = {
        name: rng.choice([*VALUES, item])
        for name in rng.sample(["id", "other", "first", "last", "count", "psi", "label", "strength", "seed", "moves",
                                "frames", "kept", "each", "stream", "steps"], rng.randint(0, 15))
    }  # fmt: skip
    kind = rng.choice(["json", "json", "json", "bytes", "form", "none"])
    body, headers = b"", {"Host": "127.0.0.1"}
    if kind == "json":
        body, headers["Content-Type"] = json.dumps(values).encode(), "application/json"
        if rng.random() < 0.2:
            body = body[: rng.randint(0, len(body))] + rng.choice([b"", b"\xff", b"[" * 5000, b"\x00"])
    elif kind == "bytes":
        body = rng.randbytes(rng.choice([1, 100, 10_000]))
    elif kind == "form":
        file = rng.choice([PNG, PNG[:40], b"", rng.randbytes(300)])
        name = rng.choice(["a.png", "../../evil.png", "/etc/passwd", "x\\y.png", "a" * 500, ""])
        parts = {"label": json.dumps(rng.choice(VALUES)), "steps": rng.choice(["10", "1e9", "[", "null"])}
        lines = [
            f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in parts.items()
        ]
        lines.append(f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
        body = "".join(lines).encode() + file + b"\r\n--b--\r\n"
        headers["Content-Type"] = rng.choice(["multipart/form-data; boundary=b", "multipart/form-data"])
    headers["Content-Length"] = str(len(body))
    if rng.random() < 0.1:
        headers["Host"] = rng.choice(["localhost:1", "evil.example", "", "a" * 300, "[", "127.0.0.1:x"])
    if rng.random() < 0.1:
        headers["Origin"] = rng.choice(["null", "http://evil.example", "http://127.0.0.1"])
    if rng.random() < 0.05:
        headers["X-" + "".join(rng.choices(string.ascii_letters, k=9))] = "z" * rng.choice([10, 5000])
    return path, method, body, headers


VALUES = [0, 1, 2, -1, 0.5, 1e308, 10**30, True, False, None, "", "x", "a" * 2000, [], [1, [2]], {}, {"class": "dark"},
          {"class": 3}, {"pc1": 1.5}, {"pc1": "x"}, {"bright>dark": 2}, {"nothing": 1}, "../../etc/passwd"]  # fmt: skip


def _png() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(file, "PNG")
    return file.getvalue()


PNG = _png()
