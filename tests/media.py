"""Tiny real media files for tests: videos whose frames carry their own number in their pixels.

Load it through the fixture `media` of tests/conftest.py.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

Image = NDArray[np.uint8]

# 4 x 4 cells, black or white: 11 bits of number and 5 check bits, so that a turned picture reads None.
_CELLS = 4
MAX_NUMBER = 2**11 - 1

TASKS = ("pick up the red cube", "put it into the drawer")

_CODECS = {
    ".mp4": "libx264",
    ".mov": "libx264",
    ".mkv": "libx264",
    ".ts": "libx264",
    ".avi": "mpeg4",
    ".webm": "libvpx-vp9",
}
_FAST = {
    "libx264": {"preset": "veryfast"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
}


def long_gop(gop: int = 250, *, open_gop: bool = False) -> dict[str, str]:
    """Encoder options for H.264 with one key frame in gop frames and a pyramid of B-frames between."""
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=3:b-adapt=0:b-pyramid=normal"
    return {"preset": "veryfast", "x264-params": f"{params}:open-gop={int(open_gop)}"}


def numbered_image(number: int, size: tuple[int, int] = (96, 64)) -> Image:
    """Draw a number into a picture.

    Args:
        number: 0 to MAX_NUMBER.
        size: Width and height in pixels, 16 or more each.

    Returns:
        uint8 [H, W, 3] RGB; `read_number` reads it back, also after lossy coding and scaling.
    """
    bits = (number << 5) | _check(number)
    cells = np.array([bits >> i & 1 for i in range(_CELLS**2)], dtype=np.uint8).reshape(_CELLS, _CELLS)
    rows = np.arange(size[1]) * _CELLS // size[1]
    columns = np.arange(size[0]) * _CELLS // size[0]
    grey = 30 + 195 * cells[rows][:, columns]
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def read_number(image: Image) -> int | None:
    """Read the number back from a picture, None where it shows no whole numbered picture the right way up."""
    height, width = image.shape[:2]
    rows = ((np.arange(_CELLS) + 0.5) * height / _CELLS).astype(int)
    columns = ((np.arange(_CELLS) + 0.5) * width / _CELLS).astype(int)
    cells = image[rows][:, columns].mean(axis=2) > 127
    bits = sum(int(bit) << i for i, bit in enumerate(cells.ravel()))
    number = bits >> 5
    return number if bits & 31 == _check(number) else None


def _check(number: int) -> int:
    return (number * 37 + 11) % 31 + 1


@contextmanager
def _same_priority() -> Iterator[None]:
    """Give the thread its priority back: for root, SVT-AV1 puts it and all its children before everything else."""
    if not hasattr(os, "sched_getscheduler"):  # only Linux has it
        yield
        return
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, priority)


def render_video(
    path: Path,
    *,
    frames: int = 50,
    fps: float = 25.0,
    times_s: Sequence[float] | None = None,
    size: tuple[int, int] = (96, 64),
    codec: str | None = None,
    pix_fmt: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    sound_s: float = 0.0,
    sound: str | None = None,
    rotation: int = 0,
    hidden: int = 0,
    first: int = 0,
) -> list[float]:
    """Write a video in which frame i shows the number i.

    Args:
        path: Where to; the suffix chooses container and codec.
        frames: Number of frames, where times_s is None.
        fps: Their rate, where times_s is None.
        times_s: Presentation time of each frame in seconds, rising; may start above 0 and have any gaps.
        size: Width and height in pixels.
        codec: Encoder's name, else the usual one of the suffix.
        pix_fmt: Pixel format given to the encoder.
        options: Options of the encoder, else fast ones.
        container_options: Options of the container, {"movflags": "faststart"} for instance.
        sound_s: Seconds of a tone from time 0, 0 for no sound.
        sound: Name of its encoder, else the usual one of the suffix.
        rotation: Clockwise degrees by which a player turns the picture (MP4 and MOV; a multiple of 90).
        hidden: So many frames at the start are in the file and not shown, as after a cut that encoded nothing anew
            (MP4); they show the numbers from 1000 on, and the first that is shown has the number 0.
        first: Number of the first frame.

    Returns:
        The time of each frame in seconds, as written.
    """
    name = codec or _CODECS[path.suffix]
    tick = Fraction(1, 1000) if path.suffix in (".webm", ".mkv") else Fraction(1, 90000)
    if path.suffix == ".avi":
        tick = Fraction(1, round(fps))
    times = list(times_s) if times_s is not None else [i / fps for i in range(frames)]
    with _same_priority(), av.open(str(path), "w", options=dict(container_options or {})) as container:
        stream = container.add_stream(name, rate=round(fps) or 1, options=dict(options or _FAST.get(name, {})))
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], pix_fmt
        stream.codec_context.time_base = tick
        heard = container.add_stream(sound or _sound_codec(path), rate=48000) if sound_s else None
        for i, time_s in enumerate(times):
            image = numbered_image(first + i - hidden if i >= hidden else 1000 + i, size)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = round(time_s / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if heard is not None:
            _add_tone(container, heard, sound_s)
    if rotation:
        _write_rotation(path, rotation)
    if hidden:
        _hide_start(path, hidden / fps)
    return [float(round(time_s / tick) * tick) for time_s in times]


def render_sound(path: Path, seconds: float = 1.0) -> None:
    """Write a file with a tone and no picture."""
    with av.open(str(path), "w") as container:
        _add_tone(container, container.add_stream(_sound_codec(path), rate=48000), seconds)


def _sound_codec(path: Path) -> str:
    return "libopus" if path.suffix in (".webm", ".mkv") else "aac"


def _add_tone(container: Any, stream: Any, seconds: float) -> None:
    for at in range(0, int(seconds * 48000), 960):
        wave = np.sin((at + np.arange(960)) * 2 * np.pi * 440 / 48000) * 0.2
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, at, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _write_rotation(path: Path, degrees: int) -> None:
    """Put a rotation into the track header of an MP4's only video track."""
    cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees % 360]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    data[at : at + 36] = struct.pack(
        ">9i", cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30
    )
    path.write_bytes(data)


def _hide_start(path: Path, seconds: float) -> None:
    """Let the edit list of an MP4's first track begin so much later."""
    data = bytearray(path.read_bytes())
    scale_at, edit_at = data.index(b"mdhd") + 16, data.index(b"elst") + 12
    (scale,) = struct.unpack_from(">I", data, scale_at)
    lasts, start = struct.unpack_from(">Ii", data, edit_at)
    struct.pack_into(">Ii", data, edit_at, lasts - round(1000 * seconds), start + round(scale * seconds))
    path.write_bytes(data)


def edit(path: Path, cuts: Sequence[tuple[float, float | None]]) -> None:
    """Give an MP4 of one track, whose header is its end, an edit list of its own.

    Args:
        path: The file.
        cuts: How many seconds are shown, and from which second of the film; None shows nothing so long.
    """
    data = path.read_bytes()
    (scale,) = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)
    at = data.index(b"edts") - 4
    (delay,) = struct.unpack_from(
        ">i", data, data.index(b"elst") + 16
    )  # pictures are decoded before they are shown
    rows = [
        struct.pack(">IiHH", round(1000 * lasts), -1 if start is None else round(scale * start) + delay, 1, 0)
        for lasts, start in cuts
    ]
    body = struct.pack(">I4sII", 16 + 12 * len(rows), b"elst", 0, len(rows)) + b"".join(rows)
    edits = struct.pack(">I4s", 8 + len(body), b"edts") + body
    (before,) = struct.unpack_from(">I", data, at)
    changed = bytearray(data[:at] + edits + data[at + before :])
    for box in (b"moov", b"trak"):
        where = changed.index(box) - 4
        struct.pack_into(">I", changed, where, struct.unpack_from(">I", changed, where)[0] + len(edits) - before)
    path.write_bytes(changed)


def bundle(paths: Sequence[Path], to: Path, titles: Sequence[str] = ()) -> Path:
    """Put the pictures of several videos into one file, a track each, as a camera with several lenses does."""
    with ExitStack() as stack:
        written = stack.enter_context(av.open(str(to), "w"))
        tracks = []
        for number, path in enumerate(paths):
            read = stack.enter_context(av.open(str(path)))
            track = written.add_stream_from_template(read.streams.video[0])
            track.metadata.update({"title": titles[number], "handler_name": titles[number]} if titles else {})
            packets = [packet for packet in read.demux(read.streams.video[0]) if packet.size]
            tracks += [(float(packet.dts * packet.time_base), track, packet) for packet in packets]
        for _, track, packet in sorted(tracks, key=lambda due: due[0]):
            packet.stream = track
            written.mux(packet)
    return to


def encode_anew(
    path: Path, to: Path, *, scale: float = 1.0, codec: str = "libx264", t0_s: float = 0.0, t1_s: float = math.inf
) -> Path:
    """Encode the pictures of a video, or of a stretch of it, once more, in lower quality and without sound."""
    with av.open(str(path)) as read, av.open(str(to), "w") as written:
        source = read.streams.video[0]
        options = {"crf": "34", "preset": "ultrafast"} if codec == "libx264" else {}
        rate = Fraction(round(source.average_rate * 100), 100)
        stream = written.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height = (round(side * scale) // 2 * 2 for side in (source.width, source.height))
        stream.pix_fmt = "yuv420p"
        if codec == "libx264":
            stream.codec_context.time_base = source.time_base
        number = 0
        for frame in read.decode(source):
            if frame.time >= t1_s:
                break
            if frame.time >= t0_s:
                small = frame.reformat(stream.width, stream.height, "yuv420p")
                small.pict_type = PictureType.NONE
                if codec == "libx264":
                    small.pts, small.time_base = frame.pts - round(t0_s / source.time_base), source.time_base
                else:  # an encoder of an even rate
                    small.pts, small.time_base = number, 1 / rate
                number += 1
                written.mux(stream.encode(small))
        written.mux(stream.encode(None))
    return to


def pack_anew(path: Path, to: Path) -> Path:
    """Put the pictures of a video into another container as they are."""
    with av.open(str(path)) as read, av.open(str(to), "w") as written:
        track = written.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(read.streams.video[0]):
            if packet.size:
                packet.stream = track
                written.mux(packet)
    return to


def join(paths: Sequence[Path], to: Path) -> Path:
    """Write files one behind the other into one, as `cat` does."""
    to.write_bytes(b"".join(path.read_bytes() for path in paths))
    return to


def cut(path: Path, to: Path, share: float) -> Path:
    """Write the first share (0 to 1) of a file's bytes to another file."""
    data = path.read_bytes()
    to.write_bytes(data[: int(len(data) * share)])
    return to


def render_lerobot(
    folder: Path,
    *,
    version: str = "v2.1",
    lengths: Sequence[int] = (20, 30),
    cameras: Sequence[str] = ("top", "wrist"),
    fps: int = 10,
    in_parquet: Sequence[str] = (),
) -> None:
    """Write a LeRobot dataset with state [3], action [2], pose [7] and two tasks.

    A camera's frame shows its number within its video: the row of its episode in v2.1, counted on over all
    episodes in v3.0, where they share one video and one parquet file.

    Args:
        folder: Where to; made if absent.
        version: "v2.1" or "v3.0".
        lengths: Number of rows of each episode.
        cameras: Short names of cameras with a video.
        fps: Rows and frames a second.
        in_parquet: Short names of cameras whose pictures stand in the parquet file as PNG.
    """
    import pyarrow as pa
    from pyarrow import parquet

    one_file = version.startswith("v3")
    features: dict[str, Any] = {f"observation.images.{name}": {"dtype": "video"} for name in cameras}
    features |= {f"observation.images.{name}": {"dtype": "image"} for name in in_parquet}
    features["observation.images.depth"] = {"dtype": "video", "info": {"video.is_depth_map": True}}
    info = {"codebase_version": version, "fps": fps, "chunks_size": 1000, "features": features}
    (folder / "meta").mkdir(parents=True)
    (folder / "meta" / "info.json").write_text(json.dumps(info))
    tables = [pa.table(_rows(i, length, fps, in_parquet)) for i, length in enumerate(lengths)]
    listed = [_listed(i, lengths, fps, cameras) for i in range(len(lengths))]
    if one_file:
        for place in ("data/chunk-000", "meta/episodes/chunk-000"):
            (folder / place).mkdir(parents=True)
        parquet.write_table(pa.concat_tables(tables), folder / "data/chunk-000/file-000.parquet")
        parquet.write_table(pa.Table.from_pylist(listed), folder / "meta/episodes/chunk-000/file-000.parquet")
        tasks = pa.table({"task_index": [0, 1], "__index_level_0__": list(TASKS)})
        parquet.write_table(tasks, folder / "meta/tasks.parquet")
    else:
        (folder / "data/chunk-000").mkdir(parents=True)
        for i, table in enumerate(tables):
            parquet.write_table(table, folder / f"data/chunk-000/episode_{i:06d}.parquet")
        keys = ("episode_index", "tasks", "length")
        _write_lines(folder / "meta/episodes.jsonl", [{key: row[key] for key in keys} for row in listed])
        _write_lines(folder / "meta/tasks.jsonl", [{"task_index": i, "task": t} for i, t in enumerate(TASKS)])
    for name in cameras:
        key = f"observation.images.{name}"
        place = folder / "videos" / (f"{key}/chunk-000" if one_file else f"chunk-000/{key}")
        place.mkdir(parents=True)
        videos = {f"episode_{i:06d}.mp4": length for i, length in enumerate(lengths)}
        for file, frames in ({"file-000.mp4": sum(lengths)} if one_file else videos).items():
            render_video(place / file, frames=frames, fps=fps, options=long_gop(20))


def _rows(episode: int, length: int, fps: int, in_parquet: Sequence[str]) -> dict[str, Any]:
    rows = np.arange(length)
    columns: dict[str, Any] = {
        "observation.state": [np.array([r, episode, 0.5], dtype=np.float32) for r in rows],
        "action": [np.array([r, -r], dtype=np.float32) for r in rows],
        "observation.pose": [np.array([r, 0, 0, 0, 0, 0, 1], dtype=np.float32) for r in rows],
        "timestamp": (rows / fps).astype(np.float32),
        "frame_index": rows,
        "episode_index": np.full(length, episode),
        "task_index": np.full(length, episode % 2),
    }
    for name in in_parquet:
        pictures = [cv2.imencode(".png", numbered_image(int(r)))[1].tobytes() for r in rows]
        columns[f"observation.images.{name}"] = [{"bytes": data, "path": None} for data in pictures]
    return columns


def _listed(episode: int, lengths: Sequence[int], fps: int, cameras: Sequence[str]) -> dict[str, Any]:
    start = sum(lengths[:episode])
    row: dict[str, Any] = {
        "episode_index": episode,
        "tasks": [TASKS[episode % 2]],
        "length": lengths[episode],
    }
    row |= {"data/chunk_index": 0, "data/file_index": 0, "dataset_from_index": start}
    for name in cameras:
        key = f"videos/observation.images.{name}"
        row |= {f"{key}/chunk_index": 0, f"{key}/file_index": 0, f"{key}/from_timestamp": start / fps}
    return row


def _write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def true_frames(path: Path) -> Iterator[tuple[float, int | None]]:
    """Yield (seconds since the first frame, number shown) of every frame by decoding all of it in order.

    An independent truth: no index, no seeking, no sampling, no scaling.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        first: int | None = None
        for frame in container.decode(stream):
            first = frame.pts if first is None else first
            yield float((frame.pts - first) * stream.time_base), read_number(frame.to_ndarray(format="rgb24"))
