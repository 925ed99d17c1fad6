"""Tables by address: where arrays begin, what the record holds, and what compiled code reads and writes through it."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from flowsim.model.compiling import compiled
from flowsim.model.memory import LINE, MOST_KEPT, Addresses, Block, aligned, block, table

PAIR = np.dtype([("whole", "i4"), ("pad", "i4"), ("real", "f8")])

pairs = table("pairs", PAIR)
grid = table("grid", PAIR, columns="width")


@compiled
def move(w: Any, i: Any, j: Any, k: Any) -> Any:
    """Put row i's numbers into row (j, k) of the grid, the real one times the factor."""
    grid(w, j, k).whole = pairs(w, i).whole
    grid(w, j, k).real = w.factor * pairs(w, i).real
    return pairs(w, i).whole


@pytest.mark.parametrize("shape", [1, 7, (3, 5), 1000])
def test_arrays_begin_on_a_cache_line_and_are_zero(shape: int | tuple[int, ...]) -> None:
    for _ in range(20):
        made = aligned(shape, PAIR)
        assert made.ctypes.data % LINE == 0
        assert made.shape == (shape if isinstance(shape, tuple) else (shape,))
        assert made.dtype == PAIR
        assert made.flags.c_contiguous
        assert not made.tobytes().strip(b"\0")
        made["real"] = 1.0  # every byte of it is its own
    assert LINE == 64


def test_rows_are_found_by_address() -> None:
    one, two = aligned(4, PAIR), aligned((2, 3), PAIR)
    one["whole"], one["real"] = [10, 11, 12, 13], [0.5, 1.5, 2.5, 3.5]
    held = Addresses({"pairs": one, "grid": two}, {"width": ("i8", 3), "factor": ("f8", 2.0)})
    assert held.record["pairs"][0] == one.ctypes.data
    assert held.record["factor"][0] == 2.0
    assert held["grid"] is two
    for i, (j, k) in enumerate([(0, 0), (0, 2), (1, 0), (1, 2)]):
        assert move(held, i, j, k) == 10 + i
    assert two["whole"].tolist() == [[10, 0, 11], [12, 0, 13]]
    assert two["real"].tolist() == [[1.0, 0.0, 3.0], [5.0, 0.0, 7.0]]


def test_another_array_takes_the_place_of_one() -> None:
    held = Addresses(
        {"pairs": aligned(2, PAIR), "grid": aligned((1, 1), PAIR)}, {"width": ("i8", 1), "factor": ("f8", 1.0)}
    )
    other = aligned(2, PAIR)
    other["whole"] = [7, 8]
    held.put("pairs", other)
    assert held["pairs"] is other
    assert move(held, 1, 0, 0) == 8
    with pytest.raises(ValueError, match="table pairs: a C-contiguous array is needed"):
        held.put("pairs", aligned(4, PAIR)[::2])
    assert held["pairs"] is other


def test_what_is_no_table_of_the_record_is_not_compiled() -> None:
    """A table that the record does not hold, and a row that is no whole number, are refused by the compiler."""
    held = Addresses({"grid": aligned((1, 1), PAIR)}, {"width": ("i8", 1), "factor": ("f8", 1.0)})
    with pytest.raises(Exception, match=r"pairs|rows"):
        move(held, 0, 0, 0)
    whole = Addresses(
        {"pairs": aligned(2, PAIR), "grid": aligned((1, 1), PAIR)}, {"width": ("i8", 1), "factor": ("f8", 1.0)}
    )
    with pytest.raises(Exception, match="rows"):
        move(whole, 0.5, 0, 0)


def test_a_block_is_cleared_where_it_should_be_and_used_again() -> None:
    room = Block()
    shapes = {"a": ((3, 5), PAIR), "b": ((7,), PAIR)}, {"c": ((1000,), PAIR)}
    made = dict(room.arrays(*shapes)[0])
    assert {name: (array.shape, array.dtype) for name, array in made.items()} == {
        name: wanted for group in shapes for name, wanted in group.items()
    }
    ends = []
    for array in made.values():
        assert array.ctypes.data % LINE == 0
        array.view(np.uint8)[:] = 0xAB
        ends.append((array.ctypes.data, array.ctypes.data + array.nbytes))
    ends.sort()
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(ends)), "none over another"
    again, places = room.arrays(*shapes)
    assert [one.ctypes.data for one in again.values()] == [one.ctypes.data for one in made.values()] == places.tolist()
    assert not again["a"].tobytes().strip(b"\0")
    assert not again["b"].tobytes().strip(b"\0")
    assert set(again["c"].tobytes()) == {0xAB}, "nobody asked for that to be cleared"
    size = room.size
    smaller, _ = room.arrays({"c": ((10,), PAIR)}, {"a": ((2,), PAIR)})
    assert room.size == size
    assert not smaller["c"].tobytes().strip(b"\0")
    assert room.arrays({"c": ((size,), PAIR)}, {})[0]["c"].shape == (size,)
    assert room.size > size


def test_nobody_is_given_a_block_that_is_in_use() -> None:
    with block() as one:
        with block() as other:
            assert other is not one
        with block() as third:
            assert third is other, "kept by the thread"
    with ThreadPoolExecutor(1) as pool, block() as mine:
        assert pool.submit(lambda: block().__enter__() is not mine).result()
    with block() as large:
        large.arrays({}, {"a": ((MOST_KEPT + 1,), np.dtype("u1"))})
    with block() as fresh:
        assert fresh is not large, "too large to be kept"
