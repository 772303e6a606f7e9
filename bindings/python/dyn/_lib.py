# SPDX-License-Identifier: BSD-3-Clause
"""The library through ctypes: functions, option structs and callback types made from the table, errors, handles.

Every C function that returns a status is called through call(): one at a time for each context, with Ctrl-C put off
(_interrupt.py), and with the message and what callbacks raised belonging to this very call."""
from __future__ import annotations

import contextlib
import ctypes
import functools
import operator
import re
import threading
import weakref
from typing import Any, Callable, Iterator, NoReturn, cast

from . import _find
from ._interrupt import asked, in_user_code, protected
from ._table import CALLBACKS, ENUMERATORS, FUNCTIONS, STRUCTS
from .errors import STATUS, class_of, error, invalid

NUMBERS = {"i32": ctypes.c_int32, "i64": ctypes.c_int64, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64}
LIMITS = {kind: (-1 << 8 * ctypes.sizeof(c) - 1, (1 << 8 * ctypes.sizeof(c) - 1) - 1) if kind[0] == "i" else
          (0, (1 << 8 * ctypes.sizeof(c)) - 1) for kind, c in NUMBERS.items()}
TYPES = {
    "void": None, "ptr": ctypes.c_void_p, "str": ctypes.c_char_p, "status": ctypes.c_int32, "f64": ctypes.c_double,
    **NUMBERS,
}
#: what gives a reference back, by the kind of handle
FREE = {"array": "unref", "graph": "free", "plan": "unref", "exec": "free", "model": "unref", "objective": "unref",
        "check": "free", "operator": "unref", "eigen": "free", "optimizer": "free", "run": "free", "replicas": "free",
        "condensation": "free", "sharpness_tracker": "free", "episodes": "free", "kfac": "free", "rank": "free",
        "ctx": "free", "npz": "free", "safetensors": "free", "sweep": "free"}


def _records(table: str) -> list[list[str]]:
    """Words of every entry; an entry begins at the margin, '#' begins a comment."""
    lines = [line for line in table.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\n ", " ")
    return [line.split() for line in joined.splitlines()]


# ---- arguments ----

def integer(value: Any, name: str, kind: str = "i64", least: int | None = None) -> int:
    """value as an integer of a C type; anything that is no integer, or outside, is refused by its name."""
    try:
        number = value if type(value) is int else operator.index(value)
    except TypeError:
        raise invalid(f"{name} is {value!r}, must be an integer") from None
    low, high = LIMITS[kind]
    low = low if least is None else least
    if not low <= number <= high:
        top = f"at most {high}" if number > high else f"at least {low}"
        raise invalid(f"{name} is {number}, must be {top}")
    return number


def number(value: Any, name: str) -> float:
    """value as a real number, refused by its name if it is none."""
    try:
        if isinstance(value, (str, bytes, complex)):
            raise TypeError
        return float(value)
    except TypeError:
        raise invalid(f"{name} is {value!r}, must be a real number") from None


def text(value: Any, name: str) -> bytes:
    """A string for C, which ends at NUL."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, must be a string")
    if "\0" in value:
        raise invalid(f"{name} {value!r} contains the character NUL")
    return value.encode()


class _HandleType:
    """A parameter of C that is a handle of one kind; None is NULL."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def from_param(self, value: Any) -> Any:
        """What ctypes passes on."""
        if value is None or isinstance(value, ctypes.c_void_p):
            return value
        if getattr(value, "_kind", None) != self.kind:
            expected = CLASSES.get(self.kind, "dyn_" + self.kind)
            raise TypeError(f"{expected} expected, not {class_of(value)}")
        return value._as_parameter_


class _NumberType:
    """An integer parameter of C: no float, nothing that would be cut off."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def from_param(self, value: Any) -> Any:
        """What ctypes passes on."""
        return NUMBERS[self.kind](integer(value, "an argument", self.kind))


#: names of the classes of handles, for messages
CLASSES = {"ctx": "dyn.Context", "graph": "dyn.Graph", "model": "dyn.Model", "objective": "dyn.Objective",
           "operator": "dyn.Operator", "run": "dyn.Run", "replicas": "dyn.Replicas", "episodes": "dyn.Episodes",
           "condensation": "dyn.CondensationResult"}


def _parameter(kind: str) -> Any:
    if kind.rstrip("*") in FREE:
        return ctypes.c_void_p if kind.endswith("*") else _HandleType(kind)
    return _NumberType(kind) if kind in NUMBERS else TYPES[kind]


class Library:
    """lib.dyn_name is the C function with its types; made when it is first used, which keeps the import quick."""

    def __init__(self) -> None:
        self._signatures = {name: (result, parameters) for name, result, *parameters in _records(FUNCTIONS)}
        self._library: ctypes.CDLL = _find.load()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self._signatures:
            raise AttributeError(f"libdyn has no function {name}")
        result, parameters = self._signatures[name]
        function: Any = getattr(self._library, name)
        function.restype = ctypes.c_void_p if result in FREE else TYPES[result]
        function.argtypes = [_parameter(p) for p in parameters]
        made = parameters[-1][:-1] if parameters and parameters[-1].endswith("*") else None
        function.made = made            # the kind of handle that it makes
        setattr(self, name, function)
        return cast(Callable[..., Any], function)

    def release(self, kind: str, address: int) -> None:
        """Give the reference to an object of this kind back."""
        self.releases(kind)(address)

    @functools.cache
    def releases(self, kind: str) -> Callable[[int], None]:
        """What gives the reference to an object of this kind back, by its address."""
        function: Any = self._library[f"dyn_{kind}_{FREE[kind]}"]      # one of its own, with a plain address
        function.restype, function.argtypes = None, [ctypes.c_void_p]
        return cast(Callable[[int], None], function)


class Options(ctypes.Structure):
    """An option struct: the library's defaults, but for what is given and not None."""

    _kinds: dict[str, str]      # of the fields

    def __init__(self, **values: Any) -> None:
        super().__init__()
        ctypes.memmove(ctypes.byref(self), _defaults(type(self)), ctypes.sizeof(self))
        self.set(**values)

    def set(self, **values: Any) -> None:
        """Write fields that are not None; what does not fit a field is refused by its name."""
        kinds = self._kinds
        for field, value in values.items():
            if value is not None:
                setattr(self, field, _field(kinds[field], field, value))


@functools.cache
def _defaults(kind: type[Options]) -> bytes:
    """The bytes of a struct with the library's defaults."""
    filled = (ctypes.c_char * ctypes.sizeof(kind))()
    status = lib.dyn_options_init(kind.__name__.encode(), ctypes.byref(filled), ctypes.sizeof(kind))
    if status < 0:
        raise error(status, f"dyn_options_init: {kind.__name__}")
    return filled.raw


def _field(kind: str, name: str, value: Any) -> Any:
    """A value as that of a field of an option struct."""
    if kind in NUMBERS:
        return integer(value, name, kind)
    return number(value, name) if kind == "f64" and type(value) is not float else value


def _struct(name: str) -> type[Options]:
    return type(name, (Options,), {"_fields_": [(field, TYPES[kind]) for field, kind in _fields[name]],
                                   "_kinds": dict(_fields[name])})


lib = Library()
_fields = {name: [(field, kind) for field, kind in (pair.split(":") for pair in fields)]
           for name, *fields in _records(STRUCTS)}
structs = {name: _struct(name) for name in _fields}
callback_types = {name: ctypes.CFUNCTYPE(*cast(Any, [TYPES.get(kind, ctypes.c_void_p) for kind in kinds]))
                  for name, *kinds in _records(CALLBACKS)}


def enum(kind: str, name: str) -> int:
    """Value of an enumerator by its name here; the error lists the names there are."""
    values = ENUMERATORS[kind][1]
    if not isinstance(name, str) or name not in values:
        raise invalid(f"{kind} {name!r} is not one of {', '.join(values)}")
    return values[name]


def enum_name(kind: str, value: int) -> str:
    """The reverse of enum."""
    return next(name for name, number in ENUMERATORS[kind][1].items() if number == value)


# ---- calls ----

class _Call:
    """A call in progress: what callbacks raised inside it, and where the nodes that they wrote were made."""

    __slots__ = ("raised", "places")

    def __init__(self) -> None:
        self.raised: BaseException | None = None
        self.places: dict[int, str] = {}


class _Thread(threading.local):
    """Calls in progress on this thread, the innermost last; contexts for whose call this is a worker thread."""

    def __init__(self) -> None:
        self.calls: list[_Call] = []
        self.helping: list[Any] = []
        self.places: dict[int, str] = {}    # of the call that ended last


_thread = _Thread()


def _take(context: Any) -> None:
    """Wait for this thread's turn to use the context; Ctrl-C is heard."""
    while not context.lock.acquire(timeout=0.05):
        asked()


def _in_turn(context: Any, function: Callable[..., int], arguments: tuple[Any, ...]) -> int:
    this, calls = _Call(), _thread.calls
    helping = context in _thread.helping        # a worker thread of a call, whose turn it is already
    if not helping:
        if not context.lock.acquire(False):
            _take(context)
        outer, context.call = context.call, this
    calls.append(this)
    try:
        status = function(*arguments)
        if this.raised is not None:
            raise this.raised
        if status < 0:
            _fail(status, located(lib.dyn_ctx_message(context).decode(errors="replace"), this.places))
        _thread.places = this.places
        return status
    except ctypes.ArgumentError as wrong:
        raise _argument_error(wrong) from None
    finally:
        calls.pop()
        if not helping:
            context.call = outer
            context.lock.release()


def call(context: Any, function: Callable[..., int], *arguments: Any) -> int:
    """Call a C function that returns a status and give it back; raises its error, or what a callback has raised."""
    return cast(int, protected(_in_turn, context, function, arguments))


def located(message: str, places: dict[int, str]) -> str:
    """The message with the user's file and line of the node that it names: where that node was made, or what it is part of."""
    named = re.search(r"\bnode (\d+)\b", message)
    after = min((node for node in places if node >= int(named[1])), default=None) if named else None
    return message if after is None else f"{message} ({places[after]})"


def places_here() -> dict[int, str] | None:
    """Where the nodes are noted that are written now: in the innermost call in progress."""
    return _thread.calls[-1].places if _thread.calls else None


def last_places() -> dict[int, str]:
    """Those of the call of this thread that ended last."""
    return _thread.places


def _fail(status: int, message: str) -> NoReturn:
    if status == STATUS["einterrupted"]:
        raise KeyboardInterrupt(message)
    raise error(status, message)


def _argument_error(wrong: ctypes.ArgumentError) -> Exception:
    """The error of a parameter type, which ctypes gives as its own: 'argument 1: TypeError: text'."""
    _, _, rest = str(wrong).partition(": ")
    kind, _, message = rest.partition(": ")
    return TypeError(message) if kind == "TypeError" else invalid(message)


def make(context: Any, function: Callable[..., int], *arguments: Any) -> int:
    """Call a function whose last parameter is the object made; returns its address."""
    out = ctypes.c_void_p()
    try:
        call(context, function, *arguments, ctypes.byref(out))
    except BaseException:
        if out.value:       # made, but interrupted on the way back
            lib.release(function.made, out.value)       # type: ignore[attr-defined]
        raise
    assert out.value is not None
    return out.value


def real(context: Any, function: Callable[..., int], *arguments: Any) -> float:
    """Call a function whose last parameter is a double; returns it."""
    out = ctypes.c_double()
    call(context, function, *arguments, ctypes.byref(out))
    return out.value


@contextlib.contextmanager
def turn(context: Any) -> Iterator[None]:
    """Several calls in one turn of this thread."""
    if context in _thread.helping:
        yield
        return
    with context.lock:
        yield


# ---- callbacks ----

def callback(context: Any, kind: str, function: Callable[..., Any], failure: float = 1, user: bool = True) -> Any:
    """A C callback. function gives the result (None is 0). What it raises is raised again when the C function has
    returned; C is told `failure`, or that it was interrupted. user: it is the user's code, which Ctrl-C ends at once."""
    def guarded(*arguments: Any) -> float:
        try:
            with _help(context):
                return (in_user_code(function, *arguments) if user else function(*arguments)) or 0
        except BaseException as exception:
            _keep(context, exception)
            return STATUS["einterrupted"] if isinstance(exception, KeyboardInterrupt) else failure
    return callback_types[kind](guarded)


@contextlib.contextmanager
def _help(context: Any) -> Iterator[None]:
    """Inside of a callback; on a worker thread, calls on the context belong to the call that goes on."""
    worker = not _thread.calls
    if worker:
        _thread.helping.append(context)
    try:
        yield
    finally:
        if worker:
            _thread.helping.pop()


def _keep(context: Any, exception: BaseException) -> None:
    """Remember what a callback raised for the call that it was made in."""
    this = _thread.calls[-1] if _thread.calls else context.call
    if this is not None and this.raised is None:
        this.raised = exception


def _ask(_: Any) -> int:
    try:
        asked()
    except BaseException as exception:
        _keep(None, exception)
        return 1
    return 0


#: by which C asks, on a thread that called it, whether it is interrupted
question = callback_types["dyn_interrupt_fn"](_ask)


def function_pointer(function: Any) -> int | None:
    """Address of a C callback for a field of a struct; None is NULL."""
    return None if function is None else ctypes.cast(function, ctypes.c_void_p).value


def check(status: int, context: Any) -> int:
    """Give the status of a quick function of C back, or raise its error: for functions that write graphs."""
    if status < 0:
        _fail(status, lib.dyn_ctx_message(context).decode(errors="replace"))
    return status


# ---- handles ----

class Handle:
    """One reference to an object of the library, given back when this goes. Can be passed to functions of lib.

    keep: what must stay alive as long as the object: the Python memory and callbacks it points to."""

    _kind: str
    _recipe: tuple[Callable[..., Any], tuple[Any, ...]] | None = None   # how it is made, for pickle
    _unshared = ""      # why two names for one object would mislead; empty: it does not change, so they may

    def __init__(self, context: Any, address: int, *keep: Any) -> None:
        self._as_parameter_ = ctypes.c_void_p(address)
        self._context = context
        self._keep = keep
        self._release = weakref.finalize(self, lib.releases(self._kind), address)

    def _call(self, function: Callable[..., int], *arguments: Any) -> int:
        """A function of C whose first parameter is this."""
        return call(self._context, function, self, *arguments)

    def __copy__(self) -> Any:
        if self._unshared:
            raise TypeError(f"a dyn.{type(self).__name__} cannot be copied: {self._unshared}")
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.__copy__()

    def __reduce__(self) -> Any:
        if self._recipe is None:
            reason = self._unshared or "it lives in the memory of this process"
            raise TypeError(f"a dyn.{type(self).__name__} cannot be pickled: {reason}")
        return self._recipe


NOT_CONVERGED = STATUS["not_converged"]
STOPPED = STATUS["stopped"]
