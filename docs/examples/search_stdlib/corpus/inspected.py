"""Docstrings of code written in C. It has no source to parse, so harmless modules are imported."""

import builtins
import importlib
import inspect
import re
from collections.abc import Iterator

from corpus.docstring import Docstring, clean, is_public

# Modules in C, and Python modules that export names of a private module in C. Unformatted, as the
# formatter would put each on its own line.
# fmt: off
MODULES = (
    "builtins", "array", "atexit", "binascii", "bz2", "cmath", "collections", "contextvars",
    "csv", "datetime", "decimal", "errno", "faulthandler", "fcntl", "functools", "gc", "hashlib",
    "io", "itertools", "json", "lzma", "marshal", "math", "mmap", "operator", "os", "pickle",
    "queue", "random", "re", "resource", "select", "signal", "socket", "sqlite3", "ssl", "struct",
    "sys", "termios", "threading", "time", "tracemalloc", "types", "unicodedata", "weakref",
    "zlib",
)
# fmt: on


def docstrings() -> Iterator[Docstring]:
    """Yield the public docstrings of the importable among `MODULES`, methods included."""
    for name in MODULES:
        try:
            module = importlib.import_module(name)
        except ImportError:  # not every system, nor every build of Python, has all of them
            continue
        if doc := clean(module.__doc__):
            yield Docstring(name, "", doc)
        prefix = "" if module is builtins else f"{name}."
        for member in filter(is_public, getattr(module, "__all__", dir(module))):
            yield from _documented(f"{prefix}{member}", getattr(module, member), name)


def _documented(name: str, thing: object, module: str) -> Iterator[Docstring]:
    """Yield the docstrings of a function, or of a class with its methods and attributes."""
    if not (inspect.isclass(thing) or inspect.isroutine(thing)) or not _belongs(thing, module):
        return
    if doc := clean(thing.__doc__):
        yield Docstring(name, _signature(thing), doc)
    if not inspect.isclass(thing):
        return
    for base in thing.__mro__:
        if base is thing or base.__module__.startswith("_"):  # `socket.socket` has a base in C
            for member, value in vars(base).items():
                documented = inspect.isroutine(value) or inspect.isgetsetdescriptor(value)
                if documented and is_public(member) and (doc := clean(value.__doc__)):
                    yield Docstring(f"{name}.{member}", _signature(value), doc)


def _belongs(thing: object, module: str) -> bool:
    """Return whether an object belongs to `module`, and is not just imported by it."""
    home = getattr(thing, "__module__", None) or module
    return home in {module, "builtins", "posix", "nt"} or home.startswith("_")


def _signature(thing: object) -> str:
    """Return the signature, such as `(a, b=1)`, without `self`; empty if C does not give it."""
    told: str | None = getattr(thing, "__text_signature__", None)
    return re.sub(r"\(\$\w+(, /)?(, )?", "(", told) if told else ""
