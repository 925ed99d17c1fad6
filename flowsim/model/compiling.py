"""How flowsim compiles: one decorator, one cache that cannot hand out stale machine code.

Numba's cache looks at the file of a function only, not at the compiled functions that it calls, so an edit in one
module can leave old machine code in another. flowsim therefore keeps its cache in a directory named after a hash of
all the sources that are compiled. Nothing else about Numba's settings is changed.

Loading what is kept there needs no compiler, so none is set up for it, which would take longer than the loading.

Array arguments of compiled functions carry no reference counts here (``_nrt=False``): flowsim's loops allocate nothing,
every array is handed in by Python, which keeps it alive, and the counts would cost almost half of the time.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import FunctionCache
from numba.core.runtime.nrt import rtsys

F = TypeVar("F", bound=Callable[..., Any])

COMPILED_PACKAGES = ("model", "engines")

_njit: Any = numba.njit  # its stubs know neither _nrt nor
_settings: Any = numba.config  # CACHE_DIR


def _sources_hash() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    root = Path(__file__).resolve().parent.parent
    for package in COMPILED_PACKAGES:
        for path in sorted((root / package).glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _usable(directory: Path) -> bool:
    """Whether this user can write there and owns it: compiled code that somebody else could swap is never run."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
        return not hasattr(os, "geteuid") or all(d.stat().st_uid == os.geteuid() for d in (directory.parent, directory))
    except OSError:
        return False


def _cache_directory() -> Path | None:
    """Where compiled code is kept, or None when nothing can be written (then every process compiles anew)."""
    home = os.environ.get("FLOWSIM_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    candidates = [Path(home, "flowsim"), Path(tempfile.gettempdir(), f"flowsim-{getattr(os, 'geteuid', os.getpid)()}")]
    name = f"compiled-{_sources_hash()}"
    return next((path / name for path in candidates if _usable(path / name)), None)


CACHE_DIRECTORY: Path | None = _cache_directory()


def is_compiled(build: str) -> bool:
    """Whether an earlier run has filled the cache with this build (`flowsim.engines.world.build`); if not, this one
    compiles."""
    return CACHE_DIRECTORY is not None and (CACHE_DIRECTORY / f"{build}.built").exists()


@cache
def was_compiled(build: str) -> None:
    """Remember that a build is in the cache: it has run."""
    if CACHE_DIRECTORY is not None:
        with suppress(OSError):
            (CACHE_DIRECTORY / f"{build}.built").touch()


_notices: list[Callable[[], None]] = []


def tell_before_compiling(notice: Callable[[], None] | None) -> None:
    """Have somebody told once when the first run has to compile, which takes a while; None: nobody."""
    _notices[:] = [] if notice is None else [notice]


def before_compiling(build: str) -> None:
    """To be called once the input is known to be usable, before this build runs."""
    if _notices and not is_compiled(build):
        _notices.pop()()


class _Kept(FunctionCache):
    """Numba's cache, which has the compiler know all functions of NumPy and Python before it looks for what is kept.
    Only a compiler needs that, and gets it by itself; loading needs the symbols of Numba's runtime."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]


def _decorate(function: F, cache: bool, **options: Any) -> F:
    made = _njit(nogil=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True, **options)(function)
    if cache and CACHE_DIRECTORY is not None:
        before = _settings.CACHE_DIR
        try:
            _settings.CACHE_DIR = str(CACHE_DIRECTORY)
            made._cache = _Kept(function)  # type: ignore[no-untyped-call]
        finally:
            _settings.CACHE_DIR = before
    return made  # type: ignore[no-any-return]


def compiled(function: F) -> F:
    """Compile a function that Python or another compiled function calls; no GIL, no reference counts."""
    return _decorate(function, cache=True)


def inlined(function: F) -> F:
    """As `compiled`, and copied into the body of each compiled caller."""
    return _decorate(function, cache=True, forceinline=True)


def step(function: F) -> F:
    """Compile a function that only compiled functions call: part of theirs, and so compiled and kept with theirs."""
    return _decorate(function, cache=False, no_cpython_wrapper=True)


def inlined_step(function: F) -> F:
    """As `step`, and copied into the body of each caller."""
    return _decorate(function, cache=False, no_cpython_wrapper=True, forceinline=True)
