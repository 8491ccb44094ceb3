"""Words that come with a video: subtitles and chapters inside it, subtitle files beside it, as notes.

All of them are given by whoever made the file: untrusted text. Times are those of the pictures, 0 where a
browser's player shows 0.
"""

from __future__ import annotations

import html
import logging
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hippocam.stream.errors import SourceError
from hippocam.stream.records import Note
from hippocam.stream.sources.code_pages import decoded
from hippocam.stream.sources.decode.length import length_s
from hippocam.stream.sources.decode.packet_index import container_zero_s, header_length_s
from hippocam.stream.sources.files import open_container, packets_of
from hippocam.stream.timecode import LATEST_S

log = logging.getLogger(__name__)

# Most marks between the name of a film and the suffix of its subtitles, as in film.pt-BR.forced.sdh.srt.
_MOST_MARKS = 3
# Largest subtitle file that is read, in bytes.
_MAX_BYTES = 10_000_000
# Most characters of one note.
_MAX_TEXT = 1000
# How long a chapter without an end, or a subtitle without one, is taken to last.
_UNTIL_NEXT_S = 5.0
# Times as players read them, with spaces as translators' programs leave them.
_CLOCK = r"(-)?(?:(\d{1,12}) ?: ?)?(\d{1,2}) ?: ?(\d{1,2})(?: ?[.,] ?(\d{1,9}))?"
_ARROW = r"\s*(?:-{1,3} ?>|[\u2013\u2014]>|\u2192)\s*"
_CUE = re.compile(rf"^\s*{_CLOCK}{_ARROW}{_CLOCK}")
# A line that was meant as times and cannot be read as such: it ends the cue before it, and is no words of it.
_BROKEN_CUE = re.compile(rf"^[\s\d:.,;，：-]*\d{_ARROW}")
# The number of a cue, where a program or a person wrote it in a way of their own.
_NUMBER = re.compile(r"\s*(?:\d+|[#(\[-]?\d+[.:)\]]?)\s*")
# What each of these matches ends at the next character of its own kind, so that all take linear time.
# Override codes in SubRip and WebVTT ({\an8}, {y:i}), which have no other use for braces; and in ASS.
_CODES = re.compile(r"\{(?:\\|[a-zA-Z]:)[^{}]*\}")
_ASS_CODES = re.compile(r"\{[^{}]*\}")
# What ASS draws instead of writing it: {\\p1}m 0 0 l 100 0{\\p0}
_ASS_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}[^{}]*")
_TAGS = re.compile(
    r"</?(?:[bisuvcp]|br|em|strong|font|span|ruby|rt|lang)(?:[\s.][^<>]*)?/?>|<\d[\d:.]*>", re.IGNORECASE
)
# Blocks of WebVTT that are no cues.
_BLOCK = re.compile(r"\n[ \t]*\n(?:NOTE|STYLE|REGION)(?=[ \t\n])[^\n]*(?:\n[^\n]+)*")
# Fields of an ASS line in a container before its text: read order, layer, style, name, three margins, effect.
_ASS_FIELDS = 8
# Fields of an ASS line in a file where it does not name them itself.
_ASS_FORMAT = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
_READ = (".srt", ".vtt", ".ass", ".ssa")
# Subtitles that are told and not read.
_UNREAD = (
    ".aqt", ".dfxp", ".idx", ".itt", ".jss", ".lrc", ".mks", ".mpl", ".mpl2", ".pjs", ".rt", ".sami", ".sbv",
    ".scc", ".smi", ".stl", ".sub", ".sup", ".ttml", ".usf",
)  # fmt: skip


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
    files = sidecars(path)
    end_s = _length_s(path, uri) if files else math.inf
    for beside in files:
        try:
            cues = list(_cues_of(beside, stream))
            found += _until(cues, end_s, beside)
            if not cues:
                log.warning("%s: no subtitle can be read in it; it is left out", beside)
        except OSError as error:
            log.warning("%s: cannot be read (%s); it is left out", beside, error)
    for beside in _beside(path, _UNREAD):
        log.warning("%s: subtitles of this kind are not read; convert it to .srt", beside)
    return sorted(dict.fromkeys(found), key=lambda n: (n.t0_s, n.t1_s, n.kind, n.text))


def _length_s(path: Path, uri: str) -> float:
    """When a video ends, infinite where nothing tells."""
    try:
        length = length_s(path, uri)
    except (SourceError, OSError):
        length = None
    return math.inf if length is None else length


def _until(cues: list[Note], end_s: float, path: Path) -> list[Note]:
    """What is said until a film ends; subtitles may be of another version of it."""
    within = [replace(cue, t1_s=max(cue.t0_s, min(cue.t1_s, end_s))) for cue in cues if cue.t0_s <= end_s]
    if len(within) < len(cues):
        told = "%s: %d of its %d subtitles begin behind the end of the film at %.1f s; they are left out"
        log.warning(told, path, len(cues) - len(within), len(cues), end_s)
    return within


def sidecars(path: Path) -> list[Path]:
    """Subtitle files that belong to a video: NAME.srt, NAME.en.forced.vtt and the like, in its folder."""
    return _beside(path, _READ)


def _beside(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Files of some suffixes that are named as a video is, with or without a language and the like behind that.

    What another video has a longer name of belongs to that one: `trip.2.srt` to `trip.2.mp4`, not to `trip.mp4`.
    """
    try:
        near = sorted(path.parent.iterdir())
    except OSError:
        return []
    kinds = "|".join(map(re.escape, suffixes))
    more = rf"(\.[\w-]{{1,20}}){{0,{_MOST_MARKS}}}({kinds})"
    others = [p.stem for p in near if p.suffix == path.suffix and p.stem.startswith(f"{path.stem}.")]
    stems = [re.compile(re.escape(stem) + more, re.IGNORECASE) for stem in (path.stem, *others)]
    named = [p for p in near if stems[0].fullmatch(p.name) and p.is_file()]
    return [p for p in named if not any(stem.fullmatch(p.name) for stem in stems[1:])]


def _inside(path: Path, uri: str, stream: str) -> Iterator[Note]:
    with open_container(path, uri) as container:
        zero_s, ends_s = container_zero_s(container, uri), header_length_s(container)
        chapters = [
            (float(c["start"] * c["time_base"]) - zero_s, float(c["end"] * c["time_base"]) - zero_s, _title(c))
            for c in container.chapters()
        ]
        for t0_s, t1_s, title in chapters:
            end_s = t1_s if t1_s > t0_s else t0_s + _UNTIL_NEXT_S
            if ends_s is not None:
                end_s = min(end_s, ends_s)
            yield from _note(stream, "chapter", t0_s, end_s, title)
        tracks = [s for s in container.streams.subtitles if _has_words(s)]
        if len(tracks) < (count := len(container.streams.subtitles)):
            log.warning(
                "%s: %d tracks of subtitles are pictures or unknown; they are not read", uri, count - len(tracks)
            )
        if tracks:
            yield from _subtitles(container, tracks, zero_s, uri, stream)


def _has_words(track: Any) -> bool:
    """Whether a track of subtitles is text that can be decoded, and not pictures of it as on discs."""
    return track.codec_context is not None and not track.codec_context.codec.bitmap_sub


def _title(chapter: Any) -> str:
    return str(chapter["metadata"].get("title", ""))


def _subtitles(container: Any, tracks: list[Any], zero_s: float, uri: str, stream: str) -> Iterator[Note]:
    import av

    try:
        for packet in packets_of(container, tracks):
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
                    text = _ass_plain(_dialogue(rect))
                    yield from _note(stream, "subtitle", start_s, start_s + (lasts_s or _UNTIL_NEXT_S), text)
    except av.FFmpegError as error:
        log.info("%s: reading subtitles stopped early: %s", uri, error)


def _dialogue(rect: Any) -> str:
    line = bytes(rect.ass).decode("utf-8", "replace")
    fields = line.split(",", _ASS_FIELDS)
    return fields[_ASS_FIELDS] if len(fields) > _ASS_FIELDS else bytes(rect.text).decode("utf-8", "replace")


def _ass_plain(line: str) -> str:
    return _plain(_ASS_CODES.sub("", _ASS_DRAWING.sub("", line)))


def _cues_of(path: Path, stream: str) -> Iterator[Note]:
    """The cues of a subtitle file; of one that is too large to be one there are none."""
    if path.stat().st_size > _MAX_BYTES:
        return iter(())
    text = decoded(path.read_bytes()).replace("\ufeff", "")  # joined files have such marks in their midst
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if path.suffix.casefold() in (".ass", ".ssa"):
        return _ass_cues(lines, stream)
    return _cues(lines, stream, path)


def _ass_cues(lines: list[str], stream: str) -> Iterator[Note]:
    """The cues of an ASS file: a line each, whose fields a line before them names."""
    fields = _fields(_ASS_FORMAT)
    events = False
    for line in lines:
        kind, _, rest = line.partition(":")
        if line.startswith("["):
            events = line.strip().casefold() == "[events]"
        elif events and kind.strip() == "Format":
            fields = _fields(rest)
        elif events and kind.strip() == "Dialogue":
            values = dict(zip(fields, rest.split(",", len(fields) - 1), strict=False))
            times = _CUE.match(f"{values.get('start', '')} --> {values.get('end', '')}")
            if times is not None:
                t0_s, t1_s = _seconds(times.groups()[:5]), _seconds(times.groups()[5:])
                yield from _note(stream, "subtitle", t0_s, t1_s, _ass_plain(values.get("text", "")))


def _fields(named: str) -> list[str]:
    return [name.strip().casefold() for name in named.split(",")]


def _cues(lines: list[str], stream: str, path: Path) -> Iterator[Note]:
    """The cues of a SubRip or WebVTT file, both of which begin a cue with its times.

    Cues may stand without a blank line between them, and have blank lines within.
    """
    timed = [(index, _CUE.match(line)) for index, line in enumerate(lines) if _is_times(line)]
    if broken := sum(times is None for _, times in timed):
        log.warning("%s: %d of its times cannot be read; what stands at them is left out", path, broken)
    is_vtt = bool(lines) and lines[0].startswith("WEBVTT")
    ends = [_text_end(lines, index, is_vtt=is_vtt) for index, _ in timed[1:]]
    for (index, times), end in zip(timed, [*ends, len(lines)], strict=False):
        if times is None:
            continue
        t0_s, t1_s = _seconds(times.groups()[:5]), _seconds(times.groups()[5:])
        text = _BLOCK.sub("\n", "\n".join(["", *lines[index + 1 : end]]))
        yield from _note(stream, "subtitle", t0_s, t1_s, _plain(_CODES.sub("", text)))


def _is_times(line: str) -> bool:
    """Whether a line is times, or was meant as such."""
    if not any(arrow in line for arrow in (">", "\u2192")):
        return False
    return _CUE.match(line) is not None or (":" in line and _BROKEN_CUE.match(line) is not None)


def _text_end(lines: list[str], index: int, *, is_vtt: bool) -> int:
    """Where the text before a line of times ends: before the number, in WebVTT the name, of the cue it begins."""
    if is_vtt and index > 1 and lines[index - 1].strip() and not lines[index - 2].strip():
        return index - 1
    end = index
    while end and not lines[end - 1].strip():
        end -= 1
    number = lines[end - 1].strip() if end else ""
    alone = end < 2 or not lines[end - 2].strip()
    return end - 1 if number.isdigit() or (alone and _NUMBER.fullmatch(number)) else index


def _seconds(clock: tuple[str | None, ...]) -> float:
    sign, hours, minutes, seconds, fraction = clock
    since = 3600 * int(hours or 0) + 60 * int(minutes or 0) + int(seconds or 0) + float(f"0.{fraction or 0}")
    return -since if sign else since


def _plain(text: str) -> str:
    """Take tags out and put characters in the place of entities; "a < b" is no tag."""
    text = text.replace(r"\N", " ").replace(r"\n", " ").replace(r"\h", " ")
    return html.unescape(_TAGS.sub("", text)).replace("\u200e", "").replace("\u200f", "")


def _note(stream: str, kind: str, t0_s: float, t1_s: float, text: str) -> Iterator[Note]:
    """A note, unless it has no words or its times make no sense."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_MAX_TEXT]
    t0_s = max(0.0, t0_s)
    if words and t0_s <= t1_s <= LATEST_S:
        yield Note(stream=stream, kind=kind, t0_s=t0_s, t1_s=t1_s, text=words)
