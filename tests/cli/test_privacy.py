"""Commands, and the packages that they import, write to no folder that is not ours and call no other machine."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

RUN = """\
import json, sys
from stylegan_ada.cli import run
for arguments in json.loads(sys.argv[1]):
    print(arguments[0], flush=True)
    assert run(arguments) == 0, arguments
"""
PLACES = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "TMPDIR")
SWITCHES = ("ORT_DISABLE_TELEMETRY", "NO_ALBUMENTATIONS_UPDATE", "MPLCONFIGDIR")  # of whoever runs the tests
EXTRA = "- name: RandomGaussianBlur\n  kernel_size: [3, 3]\n  sigma: [0.1, 2.0]\n"


@pytest.fixture(scope="module")
def stub(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if sys.platform != "linux" or not shutil.which("gcc"):
        pytest.skip("the stub of the network needs Linux and gcc")
    library = tmp_path_factory.mktemp("stub") / "network.so"
    source = root / "tests" / "cli" / "network_stub.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True, timeout=300)
    return library


@pytest.fixture
def watched(stub: Path, environment: dict[str, str], tmp_path: Path) -> Callable[..., Any]:
    """Runs Python code as somebody without settings and with an empty home; gives what was left there, and the hosts
    that were called."""
    home, log = tmp_path / "home", tmp_path / "network"
    home.mkdir()
    log.touch()
    unset = {name: value for name, value in environment.items() if name not in SWITCHES}
    ours = {"LD_PRELOAD": str(stub), "NETWORK_LOG": str(log), "STYLEGAN_ADA_CACHE": str(tmp_path / "cache")}
    for place in PLACES:
        ours[place] = str(home / place.lower())
        os.mkdir(ours[place])

    def run(code: str, *arguments: str) -> tuple[Any, ...]:
        done = subprocess.run([sys.executable, "-c", code, *arguments], env=unset | ours, cwd=home,
                              capture_output=True, text=True, check=False, timeout=300)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()], log.read_text()

    return run


@pytest.fixture
def means(tmp_path: Path) -> Path:
    """An ONNX network that gives each channel's mean."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
              for name, shape in (("x", ["n", 3, 16, 16]), ("features", ["n", 3]))]  # fmt: skip
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    node = helper.make_node("ReduceMean", ["x", "axes"], ["features"], keepdims=0)
    graph = helper.make_graph([node], "means", values[:1], values[1:], [axes])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), tmp_path / "means.onnx"
    )
    return tmp_path / "means.onnx"


def test_the_watch_sees_files_and_hosts(watched: Callable[..., Any]) -> None:
    code = "import socket, pathlib\npathlib.Path.home().joinpath('id').touch()\n"
    code += "for call in (lambda: socket.getaddrinfo('example.org', 443),\n"
    code += "             lambda: socket.create_connection(('192.0.2.1', 443)),\n"
    code += "             lambda: socket.create_connection(('127.0.0.1', 1))):\n"
    code += "    try: call()\n    except OSError: pass\n"
    files, hosts = watched(code)
    assert files == ["home/id"]
    assert hosts.split() == ["example.org", "192.0.2.1"]


def test_nothing_is_left_elsewhere_and_nobody_is_called(
    watched: Callable[..., Any],
    image_folder: Path,
    few: Path,
    unseen: Path,
    trained_run: Path,
    pixels_file: Path,
    quick: list[Any],
    means: Path,
    small: list[str],
    tmp_path: Path,
) -> None:
    extra = tmp_path / "extra.yaml"
    extra.write_text(EXTRA)
    out = tmp_path / "out"
    out.mkdir()
    commands = [
        ["data", "prepare", image_folder, "--size", "8", "--preset", "defect", "--out", out / "clean"],
        ["train", "--data", image_folder, *small, "--kimg", "0.008", "--augment-extra", extra, "--out", out / "run"],
        ["export", trained_run, "--format", "onnx", "--out", out / "generator.onnx"],
        ["evaluate", trained_run, "--features", means, "--metrics", "fid"],
        ["report", trained_run, "--out", out / "report.html"],
        ["project", trained_run, few, "--out", out / "found", *quick],
        ["directions", trained_run, "--out", out / "directions.npz"],
        ["generate", "dataset", trained_run, "--count", 8, "--shards", "--reject-duplicates", "--out", out / "set"],
        ["augment-check", "--data", image_folder, "--size", 8, "--kimg", 0, "--augment-extra", extra, "--out",
         out / "check"],
        ["utility", trained_run, "--test", unseen, "--features", pixels_file, "--classifier", "linear", "--arms",
         "real,synthetic", "--ratios", "1", "--out", out / "utility"],
        ["info"],
    ]  # fmt: skip
    assert watched(RUN, json.dumps([[str(word) for word in words] for words in commands])) == ([], "")


def test_a_setting_of_the_users_stays(watched: Callable[..., Any], means: Path) -> None:
    code = "import os\nfrom pathlib import Path\nfrom stylegan_ada.libraries.network_files import open_session\n"
    code += f"os.environ['ORT_DISABLE_TELEMETRY'] = 'true'\nopen_session(Path({str(means)!r}))\n"
    code += "assert os.environ['ORT_DISABLE_TELEMETRY'] == 'true'"
    assert watched(code) == ([], "")
