from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hippocam.apps.ids import find_entry, parse_id
from hippocam.stream.errors import HippocamError

ME, OTHER = 0x0123_4567_89AB_CDEF, 0x0FED_CBA9_8765_4321


class Found:
    """A memory that holds some ids."""

    folder = Path()

    def __init__(self, *held: int) -> None:
        self.held = held

    def find(self, first: int, last: int, *, limit: int) -> list[int]:
        assert 0 <= first <= last < 1 << 63
        return [entry_id for entry_id in sorted(self.held) if first <= entry_id <= last][:limit]


def test_the_beginning_of_an_id_is_enough_where_it_is_the_only_one() -> None:
    memory: Any = Found(ME, OTHER, 0x0124 << 48, (1 << 63) - 1)
    assert find_entry(memory, "0123456789abcdef") == ME
    assert find_entry(memory, " 0123 ") == ME
    assert find_entry(memory, "0F") == OTHER
    assert find_entry(memory, "7") == (1 << 63) - 1
    with pytest.raises(HippocamError, match=r"several \(0123456789abcdef, 0124000000000000\); give more digits"):
        find_entry(memory, "012")
    for unknown in ("1", "8", "ffffffffffffffff"):
        with pytest.raises(HippocamError, match="neither the memory nor its journal"):
            find_entry(memory, unknown)
    with pytest.raises(HippocamError, match="still goes on"):
        find_entry(memory, "open-yard-17")
    for nonsense in ("", "xyz", "0123456789abcdef0", "../0", "-1"):
        with pytest.raises(HippocamError, match="is no id"):
            find_entry(memory, nonsense)


def test_ids_of_entities_are_written_whole() -> None:
    assert parse_id("0123456789abcdef") == ME
    for nonsense in ("", "0123", "0123456789ABCDEF", "0123456789abcdeg"):
        with pytest.raises(HippocamError, match="is no id of 16 hexadecimal digits"):
            parse_id(nonsense)
