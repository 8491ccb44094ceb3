"""The columns of a bank as blocks of rows, as far as the entries' own rows do not tell them, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hippocam.memory.bank.columns import Columns
from hippocam.memory.bank.packing import BLOCK_ROWS, Rows, pack_rows, unpack_rows


def take_changed(columns: Columns, *, trained: bool) -> dict[int, bytes]:
    """Pack the blocks of rows that changed since the last call; empty bytes for one that holds nothing.

    Args:
        columns: The entries.
        trained: Whether there are trained energies to keep.
    """
    packed = {}
    for block in sorted({row // BLOCK_ROWS for row in columns.changed}):
        rows = np.arange(block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, len(columns.used)))
        used = rows[columns.used[rows]]
        packed[block] = pack_rows(_rows(columns, used), trained=trained) if len(used) else b""
    columns.changed = set()
    return packed


def _rows(columns: Columns, rows: np.ndarray) -> Rows:
    return Rows(
        row=rows,
        entry_id=columns.entry_id[rows],
        stream=columns.streams.names(columns.stream[rows]),
        first_seq=columns.first_seq[rows],
        order=columns.order[rows],
        twin=columns.twin[rows],
        twin_cosine=columns.twin_cosine[rows],
        first_energy=columns.first_energy[rows],
        informed=columns.informed[rows],
        version=columns.version[rows],
    )


def lay_out(columns: Columns, blocks: Mapping[int, bytes], streams: Mapping[int, str], *, trained: bool) -> bool:
    """Give entries the rows that they had, with all that was kept of these; False where that is not told.

    Args:
        columns: Empty.
        blocks: What `take_changed` gave, the latest of each block.
        streams: The stream of each entry that is held.
        trained: As when they were packed.
    """
    found = unpack_rows(blocks, trained=trained)
    if found is None or len(found.row) != len(streams) or set(found.entry_id.tolist()) != streams.keys():
        return False
    named: Sequence[str] = [streams[entry_id] for entry_id in found.entry_id.tolist()]
    columns.add_all(found.row, found.entry_id, found.order, named)
    columns.first_seq[found.row] = found.first_seq
    columns.twin[found.row], columns.twin_cosine[found.row] = found.twin, found.twin_cosine
    columns.first_energy[found.row] = columns.energy[found.row] = found.first_energy
    columns.informed[found.row], columns.version[found.row] = found.informed, found.version
    columns.changed = set()
    return True
