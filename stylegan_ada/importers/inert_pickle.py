"""A pickle read as data: nothing that it names is imported, called or made.

Python's own unpickler runs whatever a file asks for. This one is an interpreter of the few opcodes that plain data
needs; a file's functions and classes are names to it, and each name that it accepts has a function of ours that makes
inert data of the arguments. The opcodes' arguments are decoded by `pickletools`, which builds nothing.
"""

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from ..errors import UserError, shown

MOST_STEPS = 300_000  # opcodes; a network of the largest size has about 30,000
MOST_BITS = 128  # of whole numbers: larger ones are slow to hash and to print, and overflow as float
LONGEST_KEY = 1000
LARGEST_KEY = 2**32  # beyond 2**61 many may have the same hash
Known = Mapping[str, Callable[..., Any]]  # by a name in the file, what makes data of its arguments

_VALUES = (
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_CONTAINERS: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": list}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}


class Damaged(ValueError):
    """A fault at an opcode, without its place."""


class Name:
    """A function or class that the file names."""

    def __init__(self, text: str):
        self.text = text


def read_inert(
    stream: BinaryIO,
    known: Known,
    persistent: Callable[[Any], Any] | None = None,
    most_steps: int = MOST_STEPS,
) -> Any:
    """The data of the pickle at the stream's position, which is then behind it.

    It consists of None, bool, int, float, str, bytes, tuple, list (of sets, too), dict with str and int as keys, and
    what the functions of `known` make. persistent: makes data of a persistent id; without it there may be none.
    UserError, with the place in bytes, for a stream that is cut short or asks for anything else. Memory stays within a
    multiple of the stream's size and of most_steps.
    """
    machine = _Machine(known, persistent)
    for _ in range(most_steps):
        place = stream.tell()
        try:
            name, argument = _next_opcode(stream)
            if name == "STOP":
                return machine.only()
            machine.step(name, argument)
        except ValueError as error:  # of pickletools, too
            raise UserError(f"byte {place:,}: {shown(str(error))}") from None
    raise UserError(f"byte {stream.tell():,}: more than {most_steps:,} steps, which no network needs")


def _next_opcode(stream: BinaryIO) -> tuple[str, Any]:
    """Reads the name and argument of the next opcode. ValueError where the stream ends."""
    code = stream.read(1).decode("latin-1")
    opcode = OPCODES.get(code)
    if opcode is None:
        raise Damaged("the pickle ends before its end" if not code else "no pickle")
    if opcode.name != "STOP" and not _Machine.knows(opcode.name):  # before its argument is decoded
        raise Damaged(f"opcode {opcode.name} is not read here")
    return opcode.name, opcode.arg.reader(stream) if opcode.arg is not None else None


class _Machine:
    """The stack and the memo of a pickle."""

    def __init__(self, known: Known, persistent: Callable[[Any], Any] | None):
        self.known, self.persistent = known, persistent
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks under each mark
        self.memo: dict[int, Any] = {}

    @classmethod
    def knows(cls, opcode: str) -> bool:
        return opcode in (*_VALUES, *_CONSTANTS, *_CONTAINERS, *_TUPLES) or hasattr(cls, f"op_{opcode.lower()}")

    def pop(self) -> Any:
        if not self.stack:
            raise Damaged("it takes a value where there is none")
        return self.stack.pop()

    def only(self) -> Any:
        """The value that is left at the end."""
        value = self.pop()
        if self.stack or self.below:
            raise Damaged("it ends with more than one value")
        return value

    def step(self, name: str, argument: Any) -> None:
        if type(argument) is int and argument.bit_length() > MOST_BITS:
            raise Damaged(f"a whole number of more than {MOST_BITS} bits")
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _CONTAINERS:
            self.stack.append(_CONTAINERS[name]())
        elif name in _TUPLES:
            self.stack.append(tuple(reversed([self.pop() for _ in range(_TUPLES[name])])))
        else:
            getattr(self, f"op_{name.lower()}")(argument)

    def op_proto(self, argument: Any) -> None:
        pass

    def op_frame(self, argument: Any) -> None:
        pass

    def op_mark(self, argument: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def _since_mark(self) -> list[Any]:
        if not self.below:
            raise Damaged("it closes a list that it did not open")
        items, self.stack = self.stack, self.below.pop()
        return items

    def op_tuple(self, argument: Any) -> None:
        items = self._since_mark()
        self.stack.append(tuple(items))

    def op_memoize(self, argument: Any) -> None:
        self._put(len(self.memo))

    def op_binput(self, argument: int) -> None:
        self._put(argument)

    def op_long_binput(self, argument: int) -> None:
        self._put(argument)

    def _put(self, index: int) -> None:
        value = self.pop()
        self.stack.append(value)
        self.memo[index] = value

    def op_binget(self, argument: int) -> None:
        if argument not in self.memo:
            raise Damaged(f"it takes value {argument} again, which it never kept")
        self.stack.append(self.memo[argument])

    def op_long_binget(self, argument: int) -> None:
        self.op_binget(argument)

    def op_append(self, argument: Any) -> None:
        value = self.pop()
        self._open(list).append(value)

    def op_appends(self, argument: Any) -> None:
        items = self._since_mark()
        self._open(list).extend(items)

    def op_additems(self, argument: Any) -> None:
        self.op_appends(argument)

    def op_setitem(self, argument: Any) -> None:
        value, key = self.pop(), self.pop()
        self._set([key, value])

    def op_setitems(self, argument: Any) -> None:
        self._set(self._since_mark())

    def _set(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise Damaged("a key without a value")
        target = self._open(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in (str, int):  # hashing a deeply nested tuple would exhaust the C stack
                raise Damaged(f"a key of type {type(key).__name__}, only texts and whole numbers are read")
            if len(key) > LONGEST_KEY if type(key) is str else abs(key) > LARGEST_KEY:
                raise Damaged("a key that is too long, or a number too large to be one")
            target[key] = value

    def _open(self, kind: type) -> Any:
        """The container on top of the stack."""
        if not self.stack or type(self.stack[-1]) is not kind:
            raise Damaged(f"it fills a {kind.__name__} where there is none")
        return self.stack[-1]

    def op_global(self, argument: str) -> None:
        self._name(argument.replace(" ", "."))

    def op_stack_global(self, argument: Any) -> None:
        name, module = self.pop(), self.pop()
        if type(name) is not str or type(module) is not str:
            raise Damaged("the name of a function is no text")
        self._name(f"{module}.{name}")

    def _name(self, text: str) -> None:
        if text not in self.known:
            raise Damaged(f"it asks for {text[:100]}, which is not loaded")
        self.stack.append(Name(text))

    def op_reduce(self, argument: Any) -> None:
        arguments, name = self.pop(), self.pop()
        if type(name) is not Name or type(arguments) is not tuple:
            raise Damaged("it calls what is no function")
        try:
            self.stack.append(self.known[name.text](*arguments))
        except TypeError:
            raise Damaged(f"{name.text} with arguments that it does not have") from None

    def op_newobj(self, argument: Any) -> None:
        self.op_reduce(argument)

    def op_build(self, argument: Any) -> None:
        state = self.pop()
        target = self.stack[-1] if self.stack else None
        take_state = getattr(target, "take_inert_state", None)
        if take_state is None:
            raise Damaged("it sets the state of something that has none here")
        take_state(state)

    def op_binpersid(self, argument: Any) -> None:
        if self.persistent is None:
            raise Damaged("it refers to something outside the file")
        self.stack.append(self.persistent(self.pop()))
