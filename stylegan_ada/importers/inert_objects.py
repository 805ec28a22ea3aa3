"""The contents of a network-snapshot.pkl as inert data: tensors, plain containers and objects without their code."""

import io
import math
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import torch
from torch import Tensor

from ..errors import UserError, first_line
from .inert_pickle import Damaged, read_inert

STORAGES = {  # by their names in files, bytes of an element
    "torch.FloatStorage": 4,
    "torch.HalfStorage": 2,
    "torch.BFloat16Storage": 2,
    "torch.DoubleStorage": 8,
    "torch.LongStorage": 8,
    "torch.IntStorage": 4,
    "torch.BoolStorage": 1,
    "torch.ByteStorage": 1,
}
NUMBERS = {"f4": "<f", "f8": "<d", "i4": "<i", "i8": "<q", "b1": "<?"}  # numpy's names, struct's
MOST_STORAGES = 20_000  # each takes time to load; a network of the largest size has some 200
STORAGE_STEPS = 100  # opcodes of each pickle in a storage's stream, which have some 20
LEGACY_PICKLES_BEFORE = 3  # of a file of torch.save's old format, before the one that names its storage


@dataclass(frozen=True, eq=False)
class StoredObject:
    """An object that a file holds by its class's name and its state. Its class's source is not kept."""

    class_name: str
    state: dict[str | int, Any]


@dataclass(frozen=True, eq=False)
class Storage:
    """The numbers of one or more tensors."""

    data: torch.UntypedStorage
    dtype: torch.dtype


@dataclass(eq=False)
class NumpyType:
    """numpy's dtype of a single number."""

    code: str

    def take_inert_state(self, state: Any) -> None:
        """The byte order, which pickles set afterwards."""
        if type(state) is not tuple or len(state) < 2 or state[1] not in ("<", "|"):
            raise Damaged("numbers of another byte order")


def read_snapshot(stream: BinaryIO, size: int) -> Any:
    """The data of a network-snapshot.pkl of `size` bytes, with tensors as torch's and objects as StoredObject.

    UserError for what is anything else. Tensors share their storages, which together are no larger than the file.
    """
    return read_inert(stream, _known(_Storages(size)))


def _known(storages: "_Storages") -> dict[str, Callable[..., Any]]:
    return {
        "collections.OrderedDict": _dict,
        "dnnlib.util.EasyDict": _dict,  # a dict whose items are attributes, too
        "builtins.set": _list,
        "numpy.dtype": _numpy_type,
        "numpy.core.multiarray.scalar": _numpy_number,
        "numpy._core.multiarray.scalar": _numpy_number,
        "torch.storage._load_from_bytes": storages.load,
        "torch._utils._rebuild_tensor_v2": _tensor,
        "torch._utils._rebuild_parameter": _parameter,
        "torch_utils.persistence._reconstruct_persistent_obj": _stored_object,
    }


def _dict() -> dict[Any, Any]:
    return {}


def _list(items: Any) -> list[Any]:
    if type(items) is not list:
        raise Damaged("a set of something else than a list")
    return items


def _numpy_type(code: Any, align: Any = False, copy: Any = False) -> NumpyType:
    if type(code) is not str or code not in NUMBERS:
        raise Damaged(f"numbers of numpy's type {str(code)[:20] if type(code) is str else '?'}, which is not read")
    return NumpyType(code)


def _numpy_number(kind: Any, data: Any) -> Any:
    if type(kind) is not NumpyType or type(data) is not bytes or len(data) != struct.calcsize(NUMBERS[kind.code]):
        raise Damaged("a number of numpy's that is none")
    return struct.unpack(NUMBERS[kind.code], data)[0]


def _stored_object(meta: Any) -> StoredObject:
    if type(meta) is not dict or meta.get("type") != "class" or type(meta.get("class_name")) is not str:
        raise Damaged("a stored object without the name of its class")
    state = meta.get("state")
    if type(state) is not dict:
        raise Damaged("a stored object without a state")
    return StoredObject(meta["class_name"], state)


def _parameter(data: Any, requires_grad: Any, hooks: Any) -> Tensor:
    if not isinstance(data, Tensor):
        raise Damaged("a parameter that is no tensor")
    return data


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any) -> Tensor:
    if type(storage) is not Storage:
        raise Damaged("a tensor without a storage")
    if type(size) is not tuple or type(stride) is not tuple or len(size) != len(stride):
        raise Damaged("a tensor without a shape")
    if len(size) > 8:
        raise Damaged("a tensor of more than 8 dimensions")
    if any(type(number) is not int or not 0 <= number < 2**40 for number in (offset, *size, *stride)):
        raise Damaged("a tensor without a shape")
    last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
    elements = storage.data.nbytes() // storage.dtype.itemsize
    count = math.prod(size)
    if count and (last >= elements or count > elements):
        raise Damaged(f"a tensor of shape {list(size)} in a storage of {elements} elements")
    try:
        return torch.empty(0, dtype=storage.dtype).set_(storage.data, offset, size, stride)
    except RuntimeError:  # sides that overflow, beside one of 0
        raise Damaged(f"a tensor of shape {list(size)}, which torch cannot make") from None


class _Storages:
    """Loads storages, no more bytes of them than the file has."""

    def __init__(self, limit: int):
        self.left = limit
        self.loaded = 0

    def load(self, data: Any) -> Storage:
        if type(data) is not bytes:
            raise Damaged("a storage that is not made of bytes")
        self.left -= len(data)
        self.loaded += 1
        if self.left < 0 or self.loaded > MOST_STORAGES:
            raise Damaged("one storage used for many, larger together than the file, or too many of them")
        try:
            _check_storage(data)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # typed storages are deprecated; such files hold them
                storage = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
                if not isinstance(storage, torch.TypedStorage):
                    raise Damaged("a stream of torch's that is no storage")
                return Storage(storage.untyped(), storage.dtype)
        except (Damaged, UserError) as error:
            raise Damaged(f"within a storage, {error}") from None
        except Exception as error:  # torch raises many kinds for a damaged stream
            raise Damaged(f"a storage that torch does not load ({first_line(error)})") from None


def _check_storage(data: bytes) -> None:
    """Damaged unless this is a single storage in the old format of torch.save, no larger than it says.

    torch makes room for a storage before it reads it, whatever its stream claims.
    """
    stream = io.BytesIO(data)
    for _ in range(LEGACY_PICKLES_BEFORE):
        read_inert(stream, {}, most_steps=STORAGE_STEPS)
    claimed = read_inert(stream, {name: _no_call for name in STORAGES}, _claimed_bytes, STORAGE_STEPS)
    keys = read_inert(stream, {}, most_steps=STORAGE_STEPS)
    if type(claimed) is not int or type(keys) is not list or len(keys) != 1:
        raise Damaged("a stream of torch's that is no storage")
    if claimed > len(data):
        raise Damaged("a storage that claims more than it holds")


def _no_call() -> None:
    raise Damaged("a storage's type is no function")


def _claimed_bytes(identity: Any) -> int:
    """The bytes that a storage claims to hold, by its persistent id."""
    if type(identity) is not tuple or len(identity) != 6 or identity[0] != "storage":
        raise Damaged("a stream of torch's that is no storage")
    _, kind, key, device, count, view = identity
    name = getattr(kind, "text", None)
    if name not in STORAGES or type(count) is not int or count < 0 or view is not None:
        raise Damaged("a storage of a kind that is not read")
    if type(key) is not str or type(device) is not str:  # not another storage, whose size would not be seen
        raise Damaged("a storage of a kind that is not read")
    return count * STORAGES[name]
