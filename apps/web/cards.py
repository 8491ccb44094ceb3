"""Answers, evidence and status as HTML. Everything that comes from a memory or a user is escaped here."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import NamedTuple

from hippocam.apps.records import Answer, Status
from hippocam.apps.web.media import stream_key
from hippocam.apps.wording import NO_PICTURE, megabytes, moment_time, other_spans, surety_of
from hippocam.memory.records import Evidence
from hippocam.stream.records import Box
from hippocam.stream.timecode import format_time

# Gradio's HTML component fills "${...}" and "{{...}}" of its template: neither may come from outside.
_TEMPLATE_MARKS = {ord("$"): "&#36;", ord("{"): "&#123;", ord("}"): "&#125;", ord("`"): "&#96;"}
_NOT_SEEN = "Not seen: "


def escape(text: str) -> str:
    """Make any text harmless in HTML, in attributes, and in Gradio's templates."""
    return html.escape(text, quote=True).translate(_TEMPLATE_MARKS)


def answer(found: Answer, question: str) -> str:
    """An answer, with its confidence or an honest "Not seen", and its evidence as cards."""
    text = found.answer
    if found.unknown and text.startswith(_NOT_SEEN):
        text = text[len(_NOT_SEEN) :]
        text = text[:1].upper() + text[1:]
    missing = "Not seen" if found.not_seen else "No answer"
    verdict, kind = (missing, "unknown") if found.unknown else (found.surety.value.capitalize(), "seen")
    failed = f'<p class="hc-error" role="alert">{escape(found.failed)}</p>' if found.failed else ""
    took = f"{found.latency_ms:.0f} ms" if found.latency_ms < 1000 else f"{found.latency_ms / 1000:.1f} s"
    head = (
        f'<section class="hc-answer hc-{kind}"><p class="hc-question">{escape(question)}</p>'
        f'<p class="hc-verdict"><strong>{verdict}</strong></p>'
        f'<p class="hc-text">{escape(text)}</p>{failed}'
        f'<p class="hc-meta">{escape(found.reader)} reader, {took}{_understood(found)}</p></section>'
    )
    return head + evidence(found.evidence, found.cited, weak=found.not_seen)


def _understood(found: Answer) -> str:
    """What the question was taken to mean, if that is more than its words."""
    meant = found.understood
    return "" if meant is None or not meant.narrowed else f"; {escape(str(meant))}"


def evidence(moments: Sequence[Evidence], cited: Sequence[str], *, weak: bool) -> str:
    """Moments as cards, the strongest first.

    Args:
        moments: The evidence.
        cited: Ids of those that carry the answer.
        weak: Whether none of them is good enough for an answer.
    """
    if not moments:
        return ""
    title = "Nearest moments, too weak for an answer" if weak else "Evidence"
    items = "".join(
        f"<li>{card(moment, cited=moment.id in cited, rank=rank)}</li>"
        for rank, moment in enumerate(moments, start=1)
    )
    return f'<h2 class="hc-title">{title}</h2><ol class="hc-cards">{items}</ol>'


def card(moment: Evidence, *, cited: bool, rank: int) -> str:
    """A button that plays a moment, and a smaller one for each further time at which it was seen.

    Args:
        moment: What is shown.
        cited: Whether the answer rests on it.
        rank: Number by which the answer cites it.
    """
    span = f"{moment_time(moment, moment.t0_s)} – {moment_time(moment, moment.t1_s)}"
    sure = surety_of(moment).value
    spoken = f"Play {moment.stream}, {format_time(moment.t0_s)} to {format_time(moment.t1_s)}, {sure}"
    said = f'<span class="hc-said">“{escape(moment.text)}”</span>' if moment.text else ""
    looks = f'<span class="hc-looks">Looks like {escape(moment.sentence)}.</span>' if moment.sentence else ""
    thumb = f'<span class="hc-nopicture">{NO_PICTURE}</span>'
    if moment.image:
        thumb = f'<img src="hippocam/picture/{escape(moment.id)}" alt="" loading="lazy">'
    if moment.image and moment.box is not None:
        thumb = f'<span class="hc-boxed">{thumb}<i class="hc-box" style="{_sides(moment.box)}"></i></span>'
    return (
        f'<button type="button" class="hc-card{" hc-cited" if cited else ""}" '
        f'{_target(moment, moment.t0_s, moment.t1_s)} aria-label="{escape(spoken)}">'
        f'<span class="hc-thumb">{thumb}</span>'
        f'<span class="hc-body"><span class="hc-row"><span class="hc-span">[{rank}] {span}</span>'
        f'<span class="hc-belief"><i style="width:{max(0.0, min(1.0, moment.score)):.0%}"></i></span>'
        f'<span class="hc-sure">{sure}</span></span>'
        f'<span class="hc-stream">{escape(moment.stream)}</span>'
        f"{looks}{said}</span></button>{_others(moment)}"
    )


def _sides(box: Box) -> str:
    """A box in a picture as CSS that lays a frame over it."""
    left, top, right, bottom = (100 * max(0.0, min(1.0, edge)) for edge in box)
    return f"left:{left:.1f}%;top:{top:.1f}%;width:{right - left:.1f}%;height:{bottom - top:.1f}%"


def _others(moment: Evidence) -> str:
    """The further times at which a moment's thing was seen, as buttons in a line."""
    jumps = [
        f'<button type="button" class="hc-jump" {_target(moment, t0_s, t1_s)} '
        f'aria-label="{escape(f"Play {moment.stream}, {format_time(t0_s)} to {format_time(t1_s)}")}">'
        f"{moment_time(moment, t0_s)}</button>"
        for t0_s, t1_s in other_spans(moment)
    ]
    if not jumps:
        return ""
    more = f" ({moment.met} times in all)" if moment.met > len(moment.spans) else ""
    return f'<p class="hc-also">also seen at {", ".join(jumps)}{more}</p>'


def _target(moment: Evidence, t0_s: float, t1_s: float) -> str:
    """Where a button leads, for page.js: the stream, its span, and the picture with the time that it shows."""
    picture = escape(moment.id) if moment.image else ""
    return (
        f'data-stream="{stream_key(moment.stream)}" data-picture="{picture}" data-frame="{moment.frame_s:.3f}" '
        f'data-t0="{t0_s:.3f}" data-t1="{t1_s:.3f}"'
    )


def status(found: Status | None) -> str:
    """The strip in the header: streams, size and budget, encoder."""
    if found is None:
        return '<div class="hc-status"><span>new memory</span></div>'
    count = len(found.streams)
    share = found.bytes / found.budget_bytes if found.budget_bytes else 0.0
    encoder, _, spec = found.encoder.partition(" (")
    return (
        f'<div class="hc-status"><span>{count} stream{"" if count == 1 else "s"}</span>'
        f'<span title="{escape(found.memory)}"><span class="hc-budget" aria-hidden="true">'
        f'<i style="width:{max(0.01, min(1.0, share)):.0%}"></i></span>'
        f"{megabytes(found.bytes)} of {megabytes(found.budget_bytes)}</span>"
        f'<span title="{escape(spec.rstrip(")"))}">encoder {escape(encoder)}</span></div>'
    )


def looking() -> str:
    """Shown instead of the answer while the memory is asked."""
    return '<p class="hc-hint hc-looking">Looking through the memory…</p>'


def hint(text: str) -> str:
    """A line of advice, shown instead of an answer."""
    return f'<p class="hc-hint">{escape(text)}</p>'


def error(text: str) -> str:
    """What went wrong, in one line."""
    return f'<p class="hc-error" role="alert">{escape(" ".join(text.split()))}</p>'


class Adding(NamedTuple):
    """How videos can be added to a memory.

    Attributes:
        memory: Its folder.
        uploads: Where they are kept.
        limit_bytes: The most bytes that one may have.
        suffixes: Suffixes of their files.
    """

    memory: str
    uploads: str
    limit_bytes: int
    suffixes: Sequence[str]


def player(adding: Adding | None = None) -> str:
    """The stage: video or picture, first-run state, moments on a line, caption, videos being watched.

    Args:
        adding: How videos can be added; None where they cannot.
    """
    first, drop, file, limit = "<p>These memories hold nothing yet.</p>", "", "", 0
    if adding is not None:
        limit = adding.limit_bytes
        first = (
            "<p>Add a video, and ask about it while it is being watched. It is sent nowhere else.</p>"
            '<button type="button" class="hc-primary" data-add>Add a video</button>'
            f"<p>or in a terminal: <code>hippocam watch VIDEO --memory {escape(adding.memory)}</code></p>"
        )
        drop = '<div id="hc-drop" aria-hidden="true">Drop the video to watch it</div>'
        file = (
            '<input id="hc-file" type="file" '
            f'accept="video/*,{escape(",".join(adding.suffixes))}" hidden>'
            f'<p class="hc-fine">Added videos are kept in <code>{escape(adding.uploads)}</code>, beside the '
            f"memory and outside its budget; up to {limit / 1e9:g} GB each.</p>"
        )
    return (
        f'<div id="hc-stage" data-limit="{limit}">'
        '<video id="hc-video" controls playsinline preload="metadata" hidden></video>'
        '<img id="hc-still" alt="" hidden><p id="hc-note" role="status" hidden></p>'
        f'<div id="hc-first" hidden><h2>Nothing watched yet</h2>{first}</div>{drop}</div>'
        '<div id="hc-marks" aria-hidden="true"></div>'
        '<p id="hc-caption"></p><div id="hc-jobs" role="status" aria-label="Videos in work"></div>'
        f"{file}"
    )
