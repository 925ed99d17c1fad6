"""Tables for compiled code: one record holds the address of every array, and `table` makes the accessors.

A compiled function that takes dozens of arrays passes hundreds of words at each call and counts references in the loop.
flowsim's compiled functions take one argument instead, a record of addresses, and reach row ``i`` of a table by
``residents(w, i)``: a pointer, with no copy, no count and no bounds check. Python owns the arrays (see `Addresses`) and
keeps them alive; compiled code allocates nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import from_dtype, types
from numba.core import cgutils
from numba.extending import intrinsic


def table(field: str, dtype: np.dtype) -> Any:
    """Make the compiled function ``rows(w, i)``: row ``i`` of the table whose address is field ``field`` of ``w``.

    ``dtype`` is the structured type of a row; the row can be read and written by its fields.
    """
    row = from_dtype(dtype)
    size = dtype.itemsize

    @intrinsic
    def rows(typing_context: Any, w: Any, i: Any) -> Any:
        if not isinstance(w, types.Record) or field not in w.fields or not isinstance(i, types.Integer):
            return None

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            word = context.get_data_type(types.uintp)
            start = cgutils.get_record_member(builder, arguments[0], w.offset(field), word)  # type: ignore[no-untyped-call]
            index = context.cast(builder, arguments[1], signature.args[1], types.intp)
            offset = builder.mul(index, context.get_constant(types.intp, size))
            return builder.inttoptr(builder.add(builder.load(start), offset), context.get_value_type(row))

        return row(w, i), generate

    return rows


class Addresses:
    """Arrays by name, and the record with their addresses and other settings that compiled code is given.

    Fields of the record that bear the name of an array hold its address; the others are plain settings.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], settings: Mapping[str, tuple[str, Any]]) -> None:
        fields = [(name, "u8") for name in arrays] + [(name, kind) for name, (kind, _) in settings.items()]
        self.arrays = dict(arrays)
        self.record = np.zeros(1, np.dtype(fields, align=True))
        for name, (_, value) in settings.items():
            self.record[name] = value
        for name, array in arrays.items():
            self.put(name, array)

    def put(self, name: str, array: np.ndarray) -> None:
        """Put another array in the place of one; it must be C-contiguous."""
        if not array.flags.c_contiguous:
            raise ValueError(f"table {name}: a C-contiguous array is needed")
        self.arrays[name] = array
        self.record[name] = array.ctypes.data

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]
