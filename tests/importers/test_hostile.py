"""Files made to harm do nothing but give an error. The canary is a file that only executed code could write."""

import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada.checkpoint import read_generator
from stylegan_ada.errors import UserError
from stylegan_ada.importers import import_snapshot
from stylegan_ada.importers.inert_objects import read_snapshot

from .snapshots import generator, write_snapshot

CANARY = "canary"  # a file in the working directory


class Call:
    """Pickled as a call of `function`."""

    def __init__(self, function: Callable[..., Any] | type, *arguments: Any, state: None = None) -> None:
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


class ActsOnState:
    """A class that this process could import."""

    def __setstate__(self, state: dict[str, int]) -> None:
        open(CANARY, "w").close()


def touch() -> Call:
    return Call(os.system, f"touch {CANARY}")


def named(module: str, name: str, *parts: bytes) -> bytes:
    """A stream that names a function and then has these opcodes."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b"".join(parts) + b"."


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def acts_on_state() -> bytes:
    instance = ActsOnState()
    instance.anything = 1
    return pickle.dumps(instance)


def storage_stream(claimed: int, kind: str = "FloatStorage", first: str = "storage", data: bytes = b"\0" * 16) -> bytes:
    """A stream of torch.save's old format that claims so many elements."""
    identity = text(first) + f"ctorch\n{kind}\n".encode() + text("0") + text("cpu")
    identity = b"\x80\x02(" + identity + b"\x8a\x08" + struct.pack("<q", claimed) + b"NtQ."
    head = [pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2), pickle.dumps({"little_endian": True}, 2)]
    return b"".join([*head, identity, pickle.dumps(["0"], 2), struct.pack("<q", claimed), data])


def load_bytes(data: bytes, calls: int = 1) -> bytes:
    """A stream that has torch load `data` so many times."""
    load = b"ctorch.storage\n_load_from_bytes\nq\x01"
    again = b"h\x01h\x02\x85R"
    return (
        b"\x80\x04"
        + load
        + b"B"
        + struct.pack("<I", len(data))
        + data
        + b"q\x02"
        + b"\x85R"
        + again * (calls - 1)
        + b"."
    )


def wide_tensor(size: tuple[Any, ...], stride: tuple[Any, ...]) -> bytes:
    """A tensor of a storage of 4 elements that claims this shape."""
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n"
    numbers = [b"\x8a\x08" + struct.pack("<q", number) for number in (*size, *stride)]
    shape, steps = b"(" + b"".join(numbers[: len(size)]) + b"t", b"(" + b"".join(numbers[len(size) :]) + b"t"
    storage = load_bytes(storage_stream(4))[2:-1]
    return b"\x80\x04" + rebuild + b"(" + storage + b"K\x00" + shape + steps + b"\x89}t" + b"R."


def stored_object(state: bytes) -> bytes:
    """A stream, without its end, of a stored object whose state is made by these opcodes."""
    meta = b"}(" + text("type") + text("class") + text("class_name") + text("X") + text("state") + state + b"u"
    return b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n" + meta + b"\x85R"


def contains_itself() -> bytes:
    """A network whose only module has the network's own state."""
    state = b"}q\x00" + text("_modules") + b"}" + text("x") + stored_object(b"h\x00") + b"ss"
    return b"\x80\x02}" + text("G_ema") + stored_object(state) + b"s."


def long1(number: int) -> bytes:
    return b"\x8a\x14" + number.to_bytes(20, "little", signed=True)


def keys_of_one_hash() -> bytes:
    """A dictionary that takes hours to fill: Python's hash of whole numbers is the remainder of 2**61 - 1."""
    return b"\x80\x02}(" + b"".join(long1(number * (2**61 - 1)) + b"N" for number in range(1, 60_000)) + b"u."


def equal_keys() -> bytes:
    """Two equal texts, not the same, are compared letter by letter, here 150,000 times."""
    key = text("x" * 1_000_000)
    return b"\x80\x02}" + key + b"Ns" + key + b"q\x00Ns" + b"h\x00Ns" * 150_000 + b"."


def names_of_many_modules() -> bytes:
    """100,000 names, in each of 151 modules."""
    names = b"}(" + b"".join(text(f"n{index}") + b"N" for index in range(100_000)) + b"u"
    module = stored_object(b"}" + text("_buffers") + names + b"s") + b"q\x02"
    modules = b"}(" + text("m") + module + b"".join(text(f"m{index}") + b"h\x02" for index in range(150)) + b"u"
    return b"\x80\x02}" + text("G_ema") + stored_object(b"}" + text("_modules") + modules + b"s") + b"s."


def long_storage() -> bytes:
    """A storage with 700,000 values that it does not need."""
    stream = storage_stream(4)
    return load_bytes(stream[:2] + b"(" + b"N" * 700_000 + b"t" + stream[2:])


def storage_with_another(within: bool) -> bytes:
    """A stream of torch's in which a second storage, that claims 2**33 bytes, stands beside or within the first."""
    stream = storage_stream(4)
    start, end = stream.index(text("storage")) - 1, stream.index(b"Q") + 1
    one = stream[start:end]
    huge = one.replace(struct.pack("<q", 4), struct.pack("<q", 2**31))
    return load_bytes(stream[:start] + (one.replace(text("0"), huge) if within else huge + one) + stream[end:])


def sides_that_overflow() -> bytes:
    return wide_tensor((2**39, 2**39, 0), (1, 1, 1))


def nested_objects() -> bytes:
    """20,000 stored objects, each in the state of the next."""
    first = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\nq\x01"
    keys = [text(key) + b"q" + bytes([place]) for place, key in enumerate(("type", "class", "class_name", "state"), 2)]
    begin = b"h\x01}(h\x02h\x03h\x04h\x03h\x05}h\x02"
    return b"\x80\x02(" + first + b"".join(keys) + begin * 20_000 + b"N" + b"su\x85R" * 20_000 + b"t."


def zipped() -> bytes:
    buffer = io.BytesIO()
    torch.save({"G_ema": torch.zeros(3)}, buffer)
    return buffer.getvalue()


def zip_behind_a_pickle() -> bytes:
    buffer = io.BytesIO()
    buffer.write(pickle.dumps({"G_ema": 1}))
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr("data.pkl", pickle.dumps(touch()))
    return buffer.getvalue()


HOSTILE = {  # the file, a part of the error
    "os.system": (lambda: pickle.dumps(touch()), f"{os.system.__module__}.system, which is not loaded"),
    "os.system in a network": (lambda: pickle.dumps({"G_ema": touch()}), "system, which is not loaded"),
    "eval": (lambda: pickle.dumps(Call(eval, f"open('{CANARY}','w')")), "builtins.eval, which is not loaded"),
    "exec": (lambda: pickle.dumps(Call(exec, f"open('{CANARY}','w')")), "builtins.exec, which is not loaded"),
    "getattr": (lambda: pickle.dumps(Call(getattr, touch(), "x")), "builtins.getattr, which is not loaded"),
    "nested reduces": (
        lambda: pickle.dumps(Call(map, touch(), [1])),
        "builtins.map, which is not loaded",
    ),
    "__setstate__": (acts_on_state, "ActsOnState, which is not loaded"),
    "__setstate__ by BUILD": (lambda: named("collections", "OrderedDict", b")R", b"}", b"b"), "sets the state"),
    "attributes by BUILD": (lambda: named("collections", "OrderedDict", b"N}", b"\x86", b"b"), "sets the state"),
    "a function of torch": (lambda: named("torch", "load", text("x"), b"\x85R"), "torch.load, which is not loaded"),
    "torch's loader of source": (
        lambda: named("torch_utils.persistence", "_src_to_module", text("x"), b"\x85R"),
        "_src_to_module, which is not loaded",
    ),
    "a name within a name": (lambda: named("torch_utils.persistence", "os.system"), "os.system, which is not loaded"),
    "old opcodes": (lambda: b"\x80\x02(S'touch canary'\nios\nsystem\n.", "opcode STRING is not read"),
    "an object of old": (lambda: b"\x80\x02(cos\nsystem\nX\x01\x00\x00\x00ao.", "which is not loaded"),
    "a registered extension": (lambda: b"\x80\x02\x82\x01)R.", "opcode EXT1 is not read"),
    "a persistent id": (lambda: b"\x80\x02" + text("x") + b"Q.", "outside the file"),
    "a call of what is no function": (lambda: b"\x80\x02K\x01)R.", "no function"),
    "more arguments": (lambda: named("collections", "OrderedDict", b"(K\x01K\x02tR"), "arguments"),
    "bytes that are not there": (
        lambda: b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x.",
        "expected 4611686018427387904 bytes",
    ),
    "a text that is not there": (
        lambda: b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b"x.",
        "expected 1099511627776 bytes",
    ),
    "a frame that is not there": (lambda: b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"(" * 9, "byte"),
    "a huge memo": (lambda: b"\x80\x02Nr\xff\xff\xff\xff" * 3 + b"j\xfe\xff\xff\xff.", "never kept"),
    "a huge number": (lambda: b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"x.", "opcode LONG4 is not read"),
    "a huge storage": (lambda: load_bytes(storage_stream(2**40)), "claims more than it holds"),
    "a storage of negative size": (lambda: load_bytes(storage_stream(-5)), "not read"),
    "a storage that is a module": (lambda: load_bytes(storage_stream(4, first="module")), "no storage"),
    "a storage that is a zip": (lambda: load_bytes(zipped()), "within a storage"),
    "a storage that calls": (lambda: load_bytes(pickle.dumps(touch())), "system, which is not loaded"),
    "a storage many times": (lambda: load_bytes(storage_stream(4), calls=1000), "larger together than the file"),
    "a tensor wider than its storage": (lambda: wide_tensor((2**20, 2**20), (0, 0)), "in a storage of 4"),
    "a tensor beyond its storage": (lambda: wide_tensor((2, 2), (4, 1)), "in a storage of 4"),
    "a tensor of negative size": (lambda: wide_tensor((-1, 2), (1, 1)), "without a shape"),
    "a million nested tuples": (lambda: b"\x80\x02)" + b"\x85" * 1_000_000 + b".", "more than 300,000 steps"),
    "many nested tuples": (lambda: b"\x80\x02)" + b"\x85" * 250_000 + b".", "no `G_ema`"),
    "nested tuples as a key": (lambda: b"\x80\x02})" + b"\x85" * 250_000 + b"Ns.", "a key of type tuple"),
    "nested networks": (
        lambda: b"\x80\x02}" + (text("G_ema") + b"}") * 9000 + b"s" * 9000 + b".",
        "G_ema: not a network",
    ),
    "a network that contains itself": (contains_itself, "G_ema.x.x.x"),
    "a number without a text": (lambda: b"\x80\x02}\x8a\xff" + b"\x01" * 255 + b"Ns.", "more than 128 bits"),
    "keys of one hash": (keys_of_one_hash, "too large to be one"),
    "equal keys": (equal_keys, "a key that is too long"),
    "names of many modules": (names_of_many_modules, "names in a module"),
    "a long storage": (long_storage, "within a storage, byte 101: more than 100 steps"),
    "a storage beside a storage": (lambda: storage_with_another(False), "ends with more than one value"),
    "a storage within a storage": (lambda: storage_with_another(True), "of a kind that is not read"),
    "sides that overflow": (sides_that_overflow, "which torch cannot make"),
    "nested objects": (nested_objects, "no `G_ema`"),
    "no more than the name": (lambda: pickle.dumps({"G_ema": None}), "its `G_ema` is empty"),
    "a zip": (zipped, "a zip archive"),
    "a zip in disguise": (zip_behind_a_pickle, "more after the pickle's end"),
    "no pickle": (lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "not a pickle"),
    "an empty file": (lambda: b"", "not a pickle"),
    "no more than a beginning": (lambda: b"\x80\x04", "ends before its end"),
    "something else": (lambda: pickle.dumps([1, 2]), "no `G_ema`"),
    "a network that is a number": (lambda: pickle.dumps({"G_ema": 5}), "G_ema: not a network"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_gives_an_error_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    make, reason = HOSTILE[name]
    (tmp_path / "bad.pkl").write_bytes(make())
    with pytest.raises(UserError) as caught:
        import_snapshot(tmp_path / "bad.pkl", tmp_path / "out.safetensors", say=lambda line: None)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.pkl"]


def test_the_canary_would_sing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own unpickler runs what the reader refuses."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(HOSTILE["os.system"][0]())
    assert (tmp_path / CANARY).exists()
    (tmp_path / CANARY).unlink()
    pickle.loads(acts_on_state())
    assert (tmp_path / CANARY).exists()


def test_a_stream_cut_short_anywhere(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "whole.pkl", G_ema=generator())
    whole = (tmp_path / "whole.pkl").read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 200)):
        with pytest.raises(UserError):
            read_snapshot(io.BytesIO(whole[:length]), length)


@pytest.mark.parametrize("seed", range(3))
def test_any_byte_may_be_wrong(tmp_path: Path, seed: int) -> None:
    """A damaged file imports or gives a UserError, never another exception."""
    write_snapshot(tmp_path / "whole.pkl", G_ema=generator())
    whole = (tmp_path / "whole.pkl").read_bytes()
    numbers, out, refused = torch.Generator().manual_seed(seed), tmp_path / "out.safetensors", 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in torch.randint(len(whole), (3,), generator=numbers).tolist():
            damaged[place] = int(torch.randint(256, (1,), generator=numbers))
        (tmp_path / "damaged.pkl").write_bytes(damaged)
        try:
            import_snapshot(tmp_path / "damaged.pkl", out, say=lambda line: None)
            read_generator(out)
            out.unlink()
        except UserError:
            assert not out.exists()
            refused += 1
    assert 0 < refused < 60


def test_memory_is_bounded(tmp_path: Path, root: Path) -> None:
    """All the hostile files together, in a process of their own, take little more than the largest of them."""
    program = f"""
import resource, sys
sys.path.insert(0, {str(root / "tests")!r})
from importers.test_hostile import HOSTILE
from stylegan_ada.importers.snapshot_file import read_snapshot_networks
from stylegan_ada.errors import UserError
from pathlib import Path
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
for make, _ in HOSTILE.values():
    Path("bad.pkl").write_bytes(make())
    try:
        read_snapshot_networks(Path("bad.pkl"))
    except UserError:
        pass
print(peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300
    )
    assert int(done.stdout) < 500  # MiB
    assert not (tmp_path / CANARY).exists()
