"""Rows of a bank come out of blocks as they went in, take few bytes, and those of formats 6 and 8 are read on."""

import sqlite3
import struct
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from hippocam.memory.bank.packing import BLOCK_ROWS, Rows, pack_rows, repacked, unpack_rows, unpack_versions
from hippocam.memory.bank.state import short
from hippocam.memory.records import id_of

# What format 8 wrote for three rows of block 2: the second and third are of "hall/left" and "cam".
OF_FORMAT_8 = bytes.fromhex(
    "02000001c000000000004001020363616d0968616c6c2f6c65667400000140000106014b400e00050070010007cd9400000001c00200080001"
    "fe0bff070902f0ffbfe7cf080c13ff0000000227e780"
)


def rows_of(block, rng, *, count=BLOCK_ROWS, trained=False, names=("cam", "hall/left")):
    """Rows as a bank has them; without names of streams their ids alone are told."""
    row = block * BLOCK_ROWS + np.sort(rng.choice(BLOCK_ROWS, count, replace=False))
    first_seq = rng.integers(0, 150_000, count)
    stream = [names[int(k)] for k in rng.integers(0, len(names), count)] if names else []
    ids = [id_of(*pair) for pair in zip(stream or ["x"] * count, first_seq.tolist(), strict=True)]
    energy = short(rng.normal(size=(count, 2)).astype(np.float32) * 1e-3)
    energy[:, 0] *= trained
    return Rows(
        row=row,
        entry_id=np.array(ids),
        stream=stream,
        first_seq=first_seq if names else np.full(count, -1),
        order=rng.integers(1, 9000, count),
        twin=rng.integers(-1, 9000, count),
        twin_cosine=short(rng.random(count).astype(np.float32)),
        first_energy=energy,
        informed=rng.random(count) < 0.5,
        version=rng.integers(0, 256, count).astype(np.uint8),
    )


def told(rows: Rows) -> dict[str, Any]:
    return {name: np.asarray(getattr(rows, name)).tolist() for name in Rows._fields}


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("names", [("cam", "hall/left"), ("é",), ()])
@pytest.mark.parametrize("count", [1, 17, BLOCK_ROWS])
def test_rows_come_back(trained, names, count):
    rng = np.random.default_rng(count)
    rows = rows_of(3, rng, count=count, trained=trained, names=names)
    block = pack_rows(rows, trained=trained)
    found = unpack_rows({3: block}, trained=trained)
    assert found is not None
    assert told(found) == told(rows)
    expected = (rows.order * 256 + rows.version).tolist()
    assert unpack_versions([block]) == dict(zip(rows.entry_id.tolist(), expected, strict=True))


def test_a_row_takes_less_than_half_of_what_it_took():
    block = pack_rows(rows_of(0, np.random.default_rng(0), names=("lifelog",)), trained=False)
    assert len(block) < BLOCK_ROWS * 26 / 2


def test_a_block_of_format_8_is_read_and_packed_anew():
    found = unpack_rows({2: OF_FORMAT_8}, trained=False)
    assert found is not None
    assert told(found) == {
        "row": [100, 101, 149],
        "entry_id": [id_of("cam", 0), id_of("hall/left", 40), id_of("cam", 90)],
        "stream": ["cam", "hall/left", "cam"],
        "first_seq": [0, 40, 90],
        "order": [7, 8, 31],
        "twin": [101, 100, -1],
        "twin_cosine": [0.5, 0.5, -0.25],
        "first_energy": [[0.0, pytest.approx(1e-3, rel=1e-3)], [0.0, pytest.approx(-2e-3, rel=1e-3)], [0.0, 0.0]],
        "informed": [True, True, False],
        "version": [1, 2, 255],
    }
    again = unpack_rows({2: pack_rows(found, trained=False)}, trained=False)
    assert again is not None
    assert told(again) == told(found)
    assert unpack_rows({2: OF_FORMAT_8 + bytes(2)}, trained=False) is None


@pytest.mark.parametrize("most", [20, 40, BLOCK_ROWS])
def test_blocks_fill_small_pages_whether_they_would_fit_whole_on_one_or_not(most):
    rng, content = np.random.default_rng(most), 0
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("PRAGMA page_size = 512")
        db.execute("CREATE TABLE bank (block INTEGER PRIMARY KEY, columns BLOB NOT NULL, sum INTEGER)")
        for number in range(150):
            rows = rows_of(number, rng, count=most - int(rng.integers(6)), names=("lifelog",))
            block = pack_rows(rows, trained=False)
            content += len(block)
            db.execute("INSERT INTO bank VALUES (?, ?, NULL)", (number, block))
            db.execute("UPDATE bank SET sum = ? WHERE block = ?", (int(rng.integers(1 << 32)), number))
        (pages,) = db.execute("SELECT sum(pgsize) FROM dbstat WHERE name = 'bank'").fetchone()
    assert pages < 1.25 * content


def test_short_numbers_tell_a_thousandth():
    values = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    assert np.abs(short(values) / values - 1).max() < 1 / 2000
    assert short(short(values)).tobytes() == short(values).tobytes()
    assert short(np.float32([-1, 0, 1])).tolist() == [-1, 0, 1]


@pytest.mark.parametrize("trained", [False, True])
def test_blocks_of_format_6_are_read_and_packed_anew(trained):
    rng, blocks, expected = np.random.default_rng(1), {}, []
    for number in (0, 2):
        block = b""
        for k in range(32):
            if k % 5 == 0:
                block += bytes(26 + 4 * trained)
                continue
            entry_id, order, twin = int(rng.integers(1 << 62)), int(rng.integers(1, 99)), int(rng.integers(-1, 99))
            cosine, own, prior = np.float32(rng.normal(size=3)).tolist()
            block += struct.pack("<qIiff?B", entry_id, order, twin, cosine, own, True, 7)
            block += struct.pack("<f", prior) if trained else b""
            expected.append((32 * number + k, entry_id, order, twin, cosine, own, prior if trained else 0.0))
        blocks[number] = block
    for state in (blocks, repacked(blocks)):
        found = unpack_rows(state, trained=trained)
        assert found is not None
        columns = (found.row, found.entry_id, found.order, found.twin, found.twin_cosine)
        energies = found.first_energy[:, 1], found.first_energy[:, 0]
        assert list(zip(*(column.tolist() for column in (*columns, *energies)), strict=True)) == expected
        assert found.informed.all()
        assert set(found.version.tolist()) == {7}
    assert unpack_rows(blocks, trained=not trained) is None
    assert repacked(blocks | {1: b"damaged"}) == {}
