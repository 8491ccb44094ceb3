"""Times, numbers and lists in the words of an answer."""

from __future__ import annotations

from collections.abc import Sequence

from hippocam.stream.timecode import format_time

_NUMBERS = "no one two three four five six seven eight nine ten eleven twelve".split()
_MOST = 5
# Why a moment of a visit is shown.
RECOGNISED = "recognised by the detector at these times"
LOOKS_LIKE = "recognised by the detector, and told by their portraits, at these times"


def number(count: int) -> str:
    """A number in words up to twelve."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def times(count: int) -> str:
    """How often: "once", "three times"."""
    return "once" if count == 1 else "twice" if count == 2 else f"{number(count)} times"


def listed(parts: Sequence[str], word: str = "and") -> str:
    """A list in words: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}" if parts else ""


def stretch(t0_s: float, t1_s: float) -> str:
    """A stretch of time: "0:24 to 0:32"; one moment of it where it has no length."""
    start, end = format_time(t0_s), format_time(t1_s)
    return start if start == end else f"{start} to {end}"


def by_stream(spans: Sequence[tuple[str, float, float]], *, most: int = _MOST) -> str:
    """Stretches with their streams: "0:24 to 0:32, 1:00 to 1:04 in yard; 0:10 to 0:12 in hall"."""
    streams = dict[str, list[str]]()
    for stream, t0_s, t1_s in spans[:most]:
        streams.setdefault(stream, []).append(stretch(t0_s, t1_s))
    more = f" and {len(spans) - most} more" if len(spans) > most else ""
    return "; ".join(f"{', '.join(each)} in {stream}" for stream, each in streams.items()) + more


def lasting(seconds: float) -> str:
    """A length of time: "8 s", "1:02 minutes", "1:02:03 hours"."""
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    return f"{format_time(round(seconds))} {'minutes' if seconds < 3600 else 'hours'}"


def sentence(text: str) -> str:
    """A text as a sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
