"""Several moments as one file: a clip of each, and a list that says which is which."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hippocam.apps.shown.clips import clip_of
from hippocam.apps.wording import cell
from hippocam.memory.records import StreamStatus
from hippocam.stream.errors import ClipError, HippocamError, NoFootageError, SourceError
from hippocam.stream.sources.naming import slug

# Moments that one file may have, and seconds of footage in all.
MOST_MOMENTS, MOST_S = 200, 3600.0
# The shortest clip: one of no length would show nothing.
_LEAST_S = 1.0


class Cut(NamedTuple):
    """A moment that is to be cut out.

    Attributes:
        stream: Its stream; None where its footage may not be shown.
        t0_s: Start, in the stream's time.
        t1_s: End.
        row: What the list says of it, as JSON values.
    """

    stream: StreamStatus | None
    t0_s: float
    t1_s: float
    row: Mapping[str, Any]


def zip_of(cuts: Sequence[Cut], memory: Path | None, out: Path) -> int:
    """Write moments into a ZIP file: their clips, `moments.csv` and `moments.json`.

    A moment without footage, or whose footage cannot be cut, stands in the list with the reason.

    Args:
        cuts: The moments, in the order that their numbers follow.
        memory: Folder of the memory, beside which live footage lies; None for videos alone.
        out: The file.

    Returns:
        How many clips are in it.

    Raises:
        HippocamError: They are too many, too long, or of none is there footage.
    """
    lasts_s = sum(max(_LEAST_S, cut.t1_s - cut.t0_s) for cut in cuts)
    if len(cuts) > MOST_MOMENTS or lasts_s > MOST_S:
        raise HippocamError(
            f"one file may have {MOST_MOMENTS} moments of {MOST_S:g} seconds in all, "
            f"found {len(cuts)} of {lasts_s:.0f}"
        )
    rows, count = list[dict[str, Any]](), 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:  # videos are as small as they get
        for number, cut in enumerate(cuts, start=1):
            names, why = _pack(packed, cut, memory, f"{number:03d}")
            count += len(names)
            rows.append({"number": number, "files": names, "missing": why, **cut.row})
        if not count:
            raise HippocamError("there is no footage of these moments to cut from")
        packed.writestr("moments.json", json.dumps(rows, ensure_ascii=False, indent=1))
        packed.writestr("moments.csv", csv_of(rows))
    return count


def _pack(packed: zipfile.ZipFile, cut: Cut, memory: Path | None, number: str) -> tuple[list[str], str]:
    """Cut a moment and put its clips into the file; gives their names, and why there are none."""
    if cut.stream is None:
        return [], "its footage is not shown here"
    name = f"{number}-{slug(cut.stream.id)}-{cut.t0_s:.0f}"
    with tempfile.TemporaryDirectory(prefix="hippocam-clips-") as folder:
        try:
            end_s = max(cut.t1_s, cut.t0_s + _LEAST_S)
            clips = clip_of(cut.stream, memory, Path(folder) / "clip", cut.t0_s, end_s)
        except (NoFootageError, SourceError, ClipError) as error:
            return [], " ".join(str(error).split())
        names = [f"{name}{f'-{part}' if part else ''}{clip.path.suffix}" for part, clip in enumerate(clips)]
        for clip, written in zip(clips, names, strict=True):
            packed.write(clip.path, written)
    return names, ""


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV: lists in one cell, and nothing that a spreadsheet takes for a formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    return cell(value) if isinstance(value, str) else value
