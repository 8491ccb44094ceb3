"""Rows of entries come out of a block as they went in, to the last bit, and take few bytes in it."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hippocam.memory.codec import pack, signs
from hippocam.memory.records import id_of
from hippocam.memory.store.blocks import numbers
from hippocam.memory.store.blocks.numbers import Reader
from hippocam.memory.store.blocks.rows import COLUMNS, pack_rows, unpack_rows

WHOLE = st.integers(-(2**63), 2**63 - 1)
REAL = st.floats(allow_nan=False).map(lambda x: x + 0.0)
BLOB = st.none() | st.binary(max_size=40)
VECTOR = st.none() | st.binary(min_size=4, max_size=60)
TEXT = st.text(max_size=12)
KINDS = {
    "id": WHOLE,
    "stream": TEXT,
    "first_seq": WHOLE,
    **dict.fromkeys(("t0_s", "t1_s", "known_s", "frame_s", "last_s", "surprise", "utility", "strength"), REAL),
    **dict.fromkeys(("met", "uses", "pinned", "level", "place", "frames", "repeats", "slept"), WHOLE),
    **dict.fromkeys(("key", "scene"), VECTOR),
    **dict.fromkeys(("labels", "text"), TEXT),
    **dict.fromkeys(("spans", "state", "action", "pose", "motion"), BLOB),
}
ROW = st.tuples(*(KINDS[name] for name in COLUMNS))


def bits(rows):
    """Rows with the bits of real numbers, which compare as equal where they are not."""
    return [tuple(struct.pack("<d", v) if isinstance(v, float) else v for v in row) for row in rows]


def entry(k, rng, **fields):
    """A row as a memory writes it."""
    t0_s = round(35.0 * k + 20 * rng.random(), 2)
    vector = rng.normal(size=385).astype(np.float32)
    code = pack(signs(vector / np.linalg.norm(vector)))
    plain = dict.fromkeys(COLUMNS, 0) | {
        "id": id_of("week", 4 * k),
        "stream": "week",
        "first_seq": 4 * k,
        **dict.fromkeys(("t1_s", "known_s", "last_s"), round(t0_s + 8, 2)),
        **dict.fromkeys(("t0_s", "frame_s"), t0_s),
        "surprise": float(np.float32(rng.random())),
        "utility": float(np.float32(rng.random())),
        "strength": 1.0,
        **dict.fromkeys(("key", "scene"), code),
        **dict.fromkeys(("labels", "text"), ""),
        **dict.fromkeys(("spans", "state", "action", "pose", "motion")),
    }
    return tuple((plain | fields)[name] for name in COLUMNS)


@settings(deadline=None)
@given(st.lists(ROW, max_size=6))
def test_any_rows_come_back(rows):
    found = unpack_rows(pack_rows(rows))
    assert sorted(map(repr, bits(found))) == sorted(map(repr, bits(rows)))


@settings(deadline=None)
@given(st.lists(WHOLE, min_size=1, max_size=40))
def test_any_column_comes_back(values):
    reader = Reader(numbers.wholes(values))
    assert reader.wholes(len(values)).tolist() == values
    reader.end()


@pytest.mark.parametrize("step", [1 / 30, 1001 / 30000, 0.04, 1 / 90000, 2.0, 0.1])
def test_times_of_frames_take_few_bits(step):
    times = np.arange(40) * 40 * step + 0.0
    unit = numbers.unit_of(times)
    packed = numbers.wholes(numbers.in_unit(times, unit))
    back = numbers.from_unit(Reader(packed).wholes(40), unit)
    assert back.tobytes() == times.tobytes()
    assert unit == 0 or len(packed) < 40 * 4


def test_a_row_takes_less_than_a_third_of_one_of_a_table():
    rng = np.random.default_rng(0)
    rows = [entry(k, rng) for k in range(30)]
    assert len(pack_rows(rows)) < 80 * 30  # 53 of them the code


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(1)
    rows = [entry(k, rng, labels="person", text="blue door" * (k % 3), spans=b"x" * 24) for k in range(9)]
    assert pack_rows(rows) == pack_rows(rows[::-1])
    assert unpack_rows(pack_rows(rows)) == rows


@pytest.mark.parametrize("strength", [1.0, 1.5, 1.23, 2**-0.5])
@pytest.mark.parametrize("parts", [1, 30, 100, 90_000, 2**0.5])
def test_rows_with_more_spans_and_scenes_of_their_own_come_back(parts, strength):
    """As merging leaves them: last seen where the last span ends, in parts of a second or in none."""
    rng = np.random.default_rng(3)
    rows = []
    for k in range(30):
        further = np.cumsum(rng.integers(1, 9000, 3 * (k % 4))) + 4000 * k + 900
        spans = further.reshape(-1, 3)[:, [0, 2, 1]] / parts
        last_s = float(spans[-1, 1]) if len(spans) else (4000 * k + 800) / parts
        row = {
            "t0_s": 4000 * k / parts, "t1_s": (4000 * k + 800) / parts, "known_s": 4000 * k / parts,
            "frame_s": (4000 * k + 400) / parts, "last_s": last_s,
            "spans": spans.astype("<f8").tobytes() if len(spans) else None,
            "strength": strength + k % 2,
        }  # fmt: skip
        rows.append(entry(k, rng, **row | ({"scene": pack(signs(rng.normal(size=385)))} if k % 9 == 4 else {})))
    assert bits(unpack_rows(pack_rows(rows))) == bits(rows)
    alone = [entry(k, rng) for k in range(30)]
    other = list(alone[7])
    other[COLUMNS.index("scene")] = pack(signs(rng.normal(size=385)))
    assert len(pack_rows([*alone[:7], tuple(other), *alone[8:]])) < len(pack_rows(alone)) + 70  # one vector


@settings(deadline=None)
@given(st.data())
def test_a_block_that_is_damaged_gives_rows_or_says_so(data):
    rng = np.random.default_rng(2)
    block = bytearray(pack_rows([entry(k, rng) for k in range(5)]))
    for _ in range(data.draw(st.integers(1, 4))):
        block[data.draw(st.integers(0, len(block) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(block)))
    with contextlib.suppress(ValueError, OverflowError):
        unpack_rows(bytes(block[:cut]))
