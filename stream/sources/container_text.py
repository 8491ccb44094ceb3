"""Words that come with a video: subtitles and chapters inside it, subtitle files beside it, as notes.

All of them are given by whoever made the file: untrusted text. Times are those of the pictures, 0 where a
browser's player shows 0.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hippocam.stream.errors import SourceError
from hippocam.stream.records import Note
from hippocam.stream.sources.files import open_container
from hippocam.stream.sources.packet_index import container_zero_s, header_length_s

log = logging.getLogger(__name__)

# Largest subtitle file that is read, in bytes.
_MAX_BYTES = 10_000_000
# Most characters of one note.
_MAX_TEXT = 1000
# How long a chapter without an end, or a subtitle without one, is taken to last.
_UNTIL_NEXT_S = 5.0
_CLOCK = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_CUE = re.compile(rf"^\s*{_CLOCK}\s*-->\s*{_CLOCK}")
# Override codes of ASS, tags of SubRip and WebVTT.
_CODES = re.compile(r"\{[^}]*\}|<[^>]*>")
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&lrm;": "", "&rlm;": ""}
# Fields of an ASS line before its text: read order, layer, style, name, three margins, effect.
_ASS_FIELDS = 8


def text_notes(path: Path, uri: str, stream: str) -> list[Note]:
    """The subtitles and chapters of a video and of the subtitle files beside it, by time, each once.

    What cannot be read is left out and logged: it never keeps the pictures back.

    Args:
        path: The video.
        uri: Its name in messages.
        stream: Name of the stream that the notes are of.
    """
    found: list[Note] = []
    try:
        found += _inside(path, uri, stream)
    except (SourceError, OSError) as error:
        log.info("%s: no subtitles and chapters are read: %s", uri, error)
    for beside in sidecars(path):
        try:
            found += _cues(beside, stream)
        except OSError as error:
            log.warning("%s: cannot be read (%s); it is left out", beside, error)
    return sorted(dict.fromkeys(found), key=lambda n: (n.t0_s, n.t1_s, n.kind, n.text))


def sidecars(path: Path) -> list[Path]:
    """Subtitle files that belong to a video: NAME.srt, NAME.en.vtt and the like, in its folder."""
    try:
        near = sorted(path.parent.iterdir())
    except OSError:
        return []
    names = re.compile(re.escape(path.stem) + r"(\.[\w-]{1,20})?(\.srt|\.vtt)", re.IGNORECASE)
    return [p for p in near if names.fullmatch(p.name) and p.is_file() and p.stat().st_size <= _MAX_BYTES]


def _inside(path: Path, uri: str, stream: str) -> Iterator[Note]:
    with open_container(path, uri) as container:
        zero_s, length_s = container_zero_s(container, uri), header_length_s(container)
        chapters = [
            (float(c["start"] * c["time_base"]) - zero_s, float(c["end"] * c["time_base"]) - zero_s, _title(c))
            for c in container.chapters()
        ]
        for t0_s, t1_s, title in chapters:
            end_s = t1_s if t1_s > t0_s else t0_s + _UNTIL_NEXT_S
            if length_s is not None:
                end_s = min(end_s, length_s)
            yield from _note(stream, "chapter", t0_s, end_s, title)
        tracks = [s for s in container.streams.subtitles if s.codec_context is not None]
        if tracks:
            yield from _subtitles(container, tracks, zero_s, uri, stream)


def _title(chapter: Any) -> str:
    return str(chapter["metadata"].get("title", ""))


def _subtitles(container: Any, tracks: list[Any], zero_s: float, uri: str, stream: str) -> Iterator[Note]:
    import av

    try:
        for packet in container.demux(tracks):
            if packet.size == 0 or packet.pts is None or not packet.time_base:
                continue
            start_s = float(packet.pts * packet.time_base) - zero_s
            try:
                decoded = packet.stream.codec_context.decode2(packet)
            except av.FFmpegError as error:
                log.info("%s: a subtitle at %.1f s is damaged: %s", uri, start_s, error)
                continue
            if decoded is None:
                continue
            lasts_s = float((packet.duration or 0) * packet.time_base) or decoded.end_display_time / 1000
            for rect in decoded:
                if rect.type in (b"ass", b"text"):
                    text = _plain(_dialogue(rect))
                    yield from _note(stream, "subtitle", start_s, start_s + (lasts_s or _UNTIL_NEXT_S), text)
    except av.FFmpegError as error:
        log.info("%s: reading subtitles stopped early: %s", uri, error)


def _dialogue(rect: Any) -> str:
    line = bytes(rect.ass).decode("utf-8", "replace")
    fields = line.split(",", _ASS_FIELDS)
    return fields[_ASS_FIELDS] if len(fields) > _ASS_FIELDS else bytes(rect.text).decode("utf-8", "replace")


def _cues(path: Path, stream: str) -> Iterator[Note]:
    """The cues of a SubRip or WebVTT file, both of which begin a cue with its times."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.split("\n")
        for index, line in enumerate(lines[:3]):
            times = _CUE.match(line)
            if times is not None:
                t0_s, t1_s = _seconds(times.groups()[:4]), _seconds(times.groups()[4:])
                yield from _note(stream, "subtitle", t0_s, t1_s, _plain("\n".join(lines[index + 1 :])))
                break


def _seconds(clock: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = clock
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + int(seconds or 0) + float(f"0.{fraction}")


def _plain(text: str) -> str:
    text = _CODES.sub("", text.replace(r"\N", " ").replace(r"\n", " ").replace(r"\h", " "))
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    return text


def _note(stream: str, kind: str, t0_s: float, t1_s: float, text: str) -> Iterator[Note]:
    """A note, unless it has no words or its times make no sense."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_MAX_TEXT]
    t0_s = max(0.0, t0_s)
    if words and math.isfinite(t1_s) and t0_s <= t1_s:
        yield Note(stream=stream, kind=kind, t0_s=t0_s, t1_s=t1_s, text=words)
