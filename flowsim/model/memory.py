"""Tables for compiled code: one record holds the address of every array, and `table` makes the accessors.

A compiled function that takes dozens of arrays passes hundreds of words at each call and counts references in the loop.
flowsim's compiled functions take one argument instead, `Addresses`, of which they see the record only, and reach row
``i`` of a table by ``residents(w, i)``: a pointer, with no copy, no count and no bounds check. Python owns the arrays
and keeps them alive; compiled code allocates nothing.

Rows have a Numba type of their own, because the compiler must be told what Numba's records cannot say: that a field of
one table is never a field of another (LLVM's type-based alias analysis), and that the addresses stay as they are while
compiled code runs. Without that, every store would make the compiler load every address again.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    lower_setattr_generic,
    register_model,
    unbox,
)
from numba.np.numpy_support import from_dtype

compiler: Any = intrinsic
"""`numba.extending.intrinsic`: makes a compiled function from what generates its code; its type is not a caller's."""
LINE: Final = 64
"""Bytes of a cache line: arrays begin on one, so that a row of this size lies on one line."""
_native: Any = NativeValue  # untyped
_BYTES: Final = ir.IntType(8).as_pointer()
MOST_KEPT: Final = 2**25
"""Bytes of a block that a thread keeps for its next replication."""

Shape = tuple[int, ...]
Shapes = Mapping[str, tuple[Shape, np.dtype]]
"""Shape and type of arrays, by name."""


class Row(types.Type):
    """A row of a named table: a pointer, with a type and a place for each field. ``fixed``: the fields stay as they
    are while compiled code runs. A field that is called ``name=1`` is no place but a constant: what depends on it is
    decided when the code is compiled, and what cannot happen is not part of it."""

    mutable = True

    def __init__(self, table: str, dtype: np.dtype, fixed: bool = False) -> None:
        places: Mapping[str, Any] = dtype.fields or {}
        self.table = table
        self.size = dtype.itemsize
        named = {name: name.split("=") for name in dtype.names or ()}
        self.constants = {parts[0]: int(parts[1]) for parts in named.values() if len(parts) == 2}
        plain = [name for name, parts in named.items() if len(parts) == 1]
        self.layout = {name: (from_dtype(places[name][0]), places[name][1]) for name in plain}
        self.fixed = fixed
        described = ",".join(f"{name}:{kind}@{place}" for name, (kind, place) in self.layout.items())
        super().__init__(name=f"Row({table};{self.size};{described};{self.constants};{fixed})")

    @property
    def mangling_args(self) -> tuple[str, tuple[Any, ...]]:
        """A short name for symbols. It says what is in the row: code that two processes compiled and kept may be loaded
        side by side, and what bears one name there must be one thing."""
        return "Row", (self.table, hashlib.sha256(self.name.encode()).hexdigest()[:16])


register_model(Row)(models.OpaqueModel)


@unbox(Row)  # type: ignore[no-untyped-call]
def _handed_in(row: Row, given: Any, c: Any) -> Any:
    """`Addresses`, as compiled code gets it: where the record is."""
    address = c.pyapi.object_getattr_string(given, "address")
    number = c.unbox(types.uintp, address)
    c.pyapi.decref(address)
    return _native(c.builder.inttoptr(number.value, _BYTES), is_error=number.is_error)


@infer_getattr
class _RowAttribute(AttributeTemplate):
    key = Row

    def generic_resolve(self, row: Row, field: str) -> Any:  # type: ignore[override]
        if field in row.constants:
            return types.int64
        return row.layout[field][0] if field in row.layout else None


def _place(context: Any, builder: Any, row: Row, pointer: Any, field: str) -> tuple[Any, Any]:
    """Pointer to a field, and its alias tag."""
    kind, offset = row.layout[field]
    start = builder.gep(pointer, [ir.Constant(ir.IntType(64), offset)])
    zero = ir.Constant(ir.IntType(64), 0)
    module = builder.module
    root = module.add_metadata(["flowsim"])
    tag = module.add_metadata([f"{row.table}.{field}", root, zero])
    return builder.bitcast(start, context.get_data_type(kind).as_pointer()), module.add_metadata([tag, tag, zero])


@lower_getattr_generic(Row)  # type: ignore[no-untyped-call]
def _get(context: Any, builder: Any, row: Row, pointer: Any, field: str) -> Any:
    if field in row.constants:
        return context.get_constant(types.int64, row.constants[field])
    place, tag = _place(context, builder, row, pointer, field)
    value = builder.load(place)
    value.set_metadata("tbaa", tag)
    if row.fixed:
        value.set_metadata("invariant.load", builder.module.add_metadata([]))
    return value


@lower_setattr_generic(Row)  # type: ignore[no-untyped-call]
def _set(context: Any, builder: Any, signature: Any, arguments: Any, field: str) -> None:
    row, given = signature.args
    place, tag = _place(context, builder, row, arguments[0], field)
    value = context.cast(builder, arguments[1], given, row.layout[field][0])
    builder.store(value, place).set_metadata("tbaa", tag)


def table(field: str, dtype: np.dtype, columns: str | None = None) -> Any:
    """Make the compiled function ``rows(w, i)``: row ``i`` of the table whose address is field ``field`` of ``w``.

    ``dtype`` is the structured type of a row; the row can be read and written by its fields. With ``columns``, the name
    of a setting of ``w``, the table has two dimensions, and the function is ``rows(w, i, j)``.
    """
    row = Row(field, dtype)

    def address(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        w, pointer = signature.args[0], arguments[0]
        index = context.cast(builder, arguments[1], signature.args[1], types.intp)
        if columns is not None:
            index = builder.mul(index, _get(context, builder, w, pointer, columns))
            index = builder.add(index, context.cast(builder, arguments[2], signature.args[2], types.intp))
        start = _get(context, builder, w, pointer, field)
        offset = builder.mul(index, context.get_constant(types.intp, row.size))
        return builder.inttoptr(builder.add(start, offset), _BYTES)

    def fits(w: Any, *indices: Any) -> bool:
        known = isinstance(w, Row) and field in w.layout and (columns is None or columns in w.layout)
        return known and all(isinstance(i, types.Integer) for i in indices)

    if columns is None:

        @compiler
        def rows(typing_context: Any, w: Any, i: Any) -> Any:
            return (row(w, i), address) if fits(w, i) else None

    else:

        @compiler
        def rows(typing_context: Any, w: Any, i: Any, j: Any) -> Any:
            return (row(w, i, j), address) if fits(w, i, j) else None

    return rows


@compiler
def soon(typing_context: Any, row: Any) -> Any:
    """Ask for the cache line on which a row begins, which will be wanted before long; nothing waits for it."""
    if not isinstance(row, Row):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [_BYTES, number, number, number])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch.p0i8", (), kind)
        builder.call(prefetch, [arguments[0], number(1), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(row), generate


def words_at_most(count: int) -> Any:
    """Make the compiled function ``found(row, word)``: how many of ``count`` uint64 from ``row`` on are at most
    ``word``, before the first that is larger; all are compared at once, without a branch."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word, mask, number = ir.IntType(64), ir.IntType(count), ir.IntType(32)
        several = ir.VectorType(word, count)
        there = builder.load(builder.bitcast(arguments[0], several.as_pointer()), align=8)
        nothing = ir.Constant(several, ir.Undefined)
        one = builder.insert_element(nothing, arguments[1], number(0))
        same = builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(number, count), [0] * count))
        larger = builder.bitcast(builder.icmp_unsigned(">", there, same), mask)
        stopped = builder.or_(builder.zext(larger, word), word(1 << count))
        return builder.cttz(stopped, context.get_constant(types.boolean, True))

    @compiler
    def found(typing_context: Any, row: Any, word: Any) -> Any:
        return (types.int64(row, types.uint64), generate) if isinstance(row, Row) else None

    return found


def aligned(shape: int | tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros that begin on a cache line."""
    size = int(np.prod(shape)) * dtype.itemsize
    room = np.zeros(size + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    return room[start : start + size].view(dtype).reshape(shape)


class Block:
    """One piece of memory for all that changes in a replication.

    A thread uses it again for its next replication (`block`): to ask the system for memory anew, and to have it cleared
    page by page when it is first touched, takes longer than to clear it here.
    """

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)
        self._clear = self._memory
        self._asked: tuple[Shapes, Shapes] = {}, {}
        self._arrays: dict[str, np.ndarray] = {}
        self._places = np.empty(0, np.uint64)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self._memory)

    def arrays(self, clear: Shapes, other: Shapes) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Arrays of these shapes, each from a cache line on: those of ``clear`` zero, the others not; and the addresses
        where they begin. They hold until arrays are asked for again."""
        if self._asked != (clear, other):  # else: the same places as last time
            self._lay_out(clear, other)
        self._clear[:] = 0
        return self._arrays, self._places

    def _lay_out(self, clear: Shapes, other: Shapes) -> None:
        places: list[int] = []
        end = cleared = 0
        for group in (clear, other):
            for shape, dtype in group.values():
                places.append(end)
                end += -(-math.prod(shape) * dtype.itemsize // LINE) * LINE
            if group is clear:
                cleared = end
        if end + LINE > len(self._memory):
            self._memory = np.empty(end + end // 4 + LINE, np.uint8)
        first = -self._memory.ctypes.data % LINE
        wanted = {**clear, **other}
        self._asked = clear, other
        self._clear = self._memory[first : first + cleared]
        self._places = np.array(places, np.uint64) + np.uint64(self._memory.ctypes.data + first)
        self._arrays = {
            name: np.ndarray(shape, dtype, self._memory, first + place)
            for (name, (shape, dtype)), place in zip(wanted.items(), places, strict=True)
        }


_mine = threading.local()


@contextmanager
def block() -> Generator[Block, None, None]:
    """A block that nobody else uses meanwhile; the thread keeps one, unless it is very large."""
    found: Block = _mine.__dict__.pop("block", None) or Block()
    try:
        yield found
    finally:
        if found.size <= MOST_KEPT:
            _mine.block = found


@lru_cache(maxsize=64)
def _record_type(
    names: tuple[str, ...], kinds: tuple[tuple[str, str], ...], constants: tuple[str, ...]
) -> tuple[np.dtype, Row]:
    """Type of a record of addresses, for NumPy and for the compiler: the same objects for what is compiled once."""
    dtype = np.dtype([(name, "u8") for name in names] + [*kinds] + [(name, "u1") for name in constants], align=True)
    return dtype, Row("w", dtype, fixed=True)


class Addresses:
    """Arrays by name, and the record with their addresses and other settings that compiled code reads.

    Fields of the record that bear the name of an array hold its address; the others are plain settings, or constants
    (whole numbers, part of the record's type: code is compiled for each combination). Compiled code reads the record
    only: what changes while it runs stands in a table.
    """

    def __init__(
        self,
        arrays: Mapping[str, np.ndarray],
        settings: Mapping[str, tuple[str, Any]],
        constants: Mapping[str, int] | None = None,
    ) -> None:
        for name, array in arrays.items():
            _check(name, array)
        kinds = tuple((name, kind) for name, (kind, _) in settings.items())
        flags = tuple(f"{name}={value}" for name, value in (constants or {}).items())
        values = [array.ctypes.data for array in arrays.values()] + [value for _, value in settings.values()]
        self.arrays = dict(arrays)
        dtype, self._numba_type_ = _record_type(tuple(arrays), kinds, flags)  # a name that Numba looks for
        self._hold(np.array([(*values, *(0 for _ in flags))], dtype))

    def _hold(self, record: np.ndarray) -> None:
        self.record = record
        self.address: int = record.ctypes.data

    def put(self, name: str, array: np.ndarray) -> None:
        """Put another array in the place of one; it must be C-contiguous."""
        _check(name, array)
        self.arrays[name] = array
        self.record[name] = array.ctypes.data

    def elsewhere(self, arrays: dict[str, np.ndarray], places: np.ndarray) -> Addresses:
        """The same, with the arrays that were named first in other places; ``places``: their addresses, uint64."""
        moved = object.__new__(Addresses)
        moved.arrays = self.arrays | arrays
        moved._numba_type_ = self._numba_type_
        moved._hold(self.record.copy())
        moved.record.view(np.uint64)[: len(places)] = places
        return moved

    def but(self, arrays: Mapping[str, np.ndarray]) -> Addresses:
        """The same, with other arrays by these names."""
        other = self.elsewhere({}, np.empty(0, np.uint64))
        for name, array in arrays.items():
            other.put(name, array)
        return other

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]


def _check(name: str, array: np.ndarray) -> None:
    if not array.flags.c_contiguous:
        raise ValueError(f"table {name}: a C-contiguous array is needed")
