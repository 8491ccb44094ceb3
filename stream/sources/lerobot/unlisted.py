"""Data in a LeRobot dataset of which its meta folder lists no episode, as a killed recorder leaves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_COLUMN = "episode_index"


def unlisted_in(folder: Path, listed: Mapping[Path, Sequence[int]]) -> str:
    """Say which data files hold rows of episodes that are not listed; "" where there is none.

    Args:
        folder: The dataset.
        listed: Numbers of the episodes that are listed, by their data file. Where they follow one another, only
            the file's own summary is read.
    """
    found = [
        file
        for file in sorted((folder / "data").rglob("*.parquet"))
        if file not in listed or _holds_others(file, listed[file])
    ]
    if not found:
        return ""
    files = "a data file holds" if len(found) == 1 else f"{len(found)} data files hold"
    return (
        f"{files} episodes that are not listed, the first is {found[0].relative_to(folder)}; the recording was "
        "cut off before it listed them, and they are not watched"
    )


def _holds_others(file: Path, numbers: Sequence[int]) -> bool:
    """Whether a Parquet file holds an episode before, behind or between those that are listed."""
    from pyarrow import parquet

    with suppress(OSError, ValueError):  # reading its episodes tells why; pyarrow's errors are of these
        summary = parquet.read_metadata(file)
        at = summary.schema.to_arrow_schema().get_field_index(_COLUMN)
        if at < 0:
            return False
        for group in range(summary.num_row_groups):
            held = summary.row_group(group).column(at).statistics
            if held is not None and held.has_min_max and not min(numbers) <= held.min <= held.max <= max(numbers):
                return True
        if len(set(numbers)) <= max(numbers) - min(numbers):  # some between are not listed
            rows = parquet.read_table(file, columns=[_COLUMN]).column(0).unique().to_pylist()
            return any(number is not None and number not in numbers for number in rows)
    return False
