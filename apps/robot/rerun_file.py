"""What was replayed, for Rerun's viewer: pictures, state, pose, and the moments that the memory keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hippocam.memory.memory import Memory
from hippocam.stream.errors import HippocamError, SourceError
from hippocam.stream.jpeg import encode_jpeg
from hippocam.stream.records import Observation, stream_id
from hippocam.stream.sources import open_sources

_SIDE_PX, _QUALITY = 512, 80


def write_rerun(path: Path, sources: Sequence[str | Path], memory: Path, *, fps: float | None) -> int:
    """Write a recording that `rerun FILE` shows; how many pictures are in it.

    Args:
        path: The file, of the suffix .rrd.
        sources: What was replayed; it is read a second time.
        memory: The memory that it was replayed into.
        fps: Pictures a second.

    Raises:
        HippocamError: Rerun is not installed, or the file cannot be written.
    """
    try:
        import rerun
    except ImportError as error:
        raise HippocamError("for Rerun's recordings its package is needed: pip install rerun-sdk") from error
    try:
        rerun.init("hippocam", spawn=False)
        rerun.save(str(path))
    except (OSError, RuntimeError) as error:
        raise HippocamError(f"{path}: cannot be written ({error})") from error
    pictures = 0
    for source in open_sources(sources).sources:
        try:
            for seen in source.observations(fps=fps):
                _write(rerun, source.id, seen)
                pictures += len(seen.images)
        except SourceError:
            continue  # told when it was watched
    with Memory.open_reader(memory) as reader:
        for stream in reader.streams():
            for row in reader.store.entries.rows(stream.id, (-float("inf"), 0), 1_000_000):
                rerun.set_time("time", duration=row.entry.frame_s)
                words = row.entry.text.replace("\n", "; ")
                spans = ", ".join(f"{span.t0_s:.1f} to {span.t1_s:.1f} s" for span in row.entry.spans)
                rerun.log(f"memory/{stream.id}", rerun.TextLog(f"kept: {spans} {words}"))
    rerun.disconnect()
    return pictures


def _write(rerun: Any, source: str, seen: Observation) -> None:
    rerun.set_time("time", duration=seen.time_s)
    for camera, image in seen.images.items():
        jpeg = encode_jpeg(image, _SIDE_PX, _QUALITY)
        rerun.log(stream_id(source, camera), rerun.EncodedImage(contents=jpeg, media_type="image/jpeg"))
    for name, values in (("state", seen.sensors.state), ("action", seen.sensors.action)):
        if values is not None:
            rerun.log(f"{source}/{name}", rerun.Scalars(values))
    if seen.sensors.pose is not None:
        rerun.log(f"{source}/pose", rerun.Points3D([seen.sensors.pose[:3]]))
