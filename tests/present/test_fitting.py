"""Tables fit the width that there is, and lose nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowsim.present.fitting import fitted_table

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=5).map(" ".join)


def test_a_table_with_room_has_a_line_per_row() -> None:
    table = fitted_table(["name", "number"], [["a", "1,000"], ["longer name", "5"]], 80)
    assert table == "name         number\na             1,000\nlonger name       5\n"


def test_a_narrow_table_wraps_between_words() -> None:
    table = fitted_table(["name", "n"], [["a longer name", "12 (3-4)"]], 14)
    assert table == "name         n\n------  ------\na           12\nlonger   (3-4)\nname\n"


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=4), st.integers(31, 90))
def test_nothing_is_lost_and_nothing_sticks_out(rows: list[tuple[str, str, str]], width: int) -> None:
    table = fitted_table(["one", "two", "three"], rows, width)
    assert all(len(line) <= width for line in table.splitlines())  # three words of nine letters and two gaps fit
    said = sorted(word for word in table.replace("-", " ").split())
    assert said == sorted(["one", "two", "three"] + [word for row in rows for cell in row for word in cell.split()])
