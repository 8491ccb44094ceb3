"""`hippocam bench presence` and `bench words`: what is said to be there, and what is found by what it means."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path

from hippocam.apps.cli.bench.options import FOOTAGE, GOLDEN, numbers, there
from hippocam.apps.cli.bench.outcome import Section, tell_outcome, tell_section
from hippocam.apps.terminal import warn
from hippocam.stream.errors import HippocamError

_TIMELINES = GOLDEN / "presence" / "timelines.json"
_THINGS = GOLDEN / "presence" / "things.json"
_NEVER = FOOTAGE / "absent.json"
_QUESTIONS = GOLDEN / "words" / "questions.json"


def add_presence(parser: argparse.ArgumentParser) -> None:
    """Add the options of what is told as of any moment."""
    parser.add_argument("--seeds", type=numbers, default=[1, 2, 3], metavar="1,2,3", help="of the streams")
    parser.add_argument(
        "--queries", type=int, default=1_000_000, metavar="N", help="moments at which no later look may tell"
    )
    parser.add_argument("--videos", type=Path, metavar="DIR", help="where the clips are")
    parser.add_argument("--timelines", type=Path, default=_TIMELINES, metavar="FILE", help="what is when")
    parser.add_argument("--beliefs", action="store_true", help="also what a search believes")
    parser.add_argument("--things", type=Path, default=_THINGS, metavar="FILE", help="what they show")
    parser.add_argument("--absent", type=Path, default=_NEVER, metavar="FILE", help="not shown")
    parser.add_argument("--encoder", default="bundled", metavar="NAME")
    parser.set_defaults(run=_presence)


def _presence(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.asof.run import Plan, means, run, table
    from hippocam.apps.session import Session
    from hippocam.models.registry import make_encoder

    videos = options.videos or _footage()
    if videos is None:
        warn("no footage: planned streams alone; --videos names a folder of clips")
    plan = Plan(
        seeds=tuple(options.seeds),
        queries=options.queries,
        videos=videos,
        timelines=there(options.timelines) if videos is not None else options.timelines,
        encoder=options.encoder,
    )
    rows = run(plan, Session, warn)
    encoders = ["palette:1", *([make_encoder(options.encoder).spec.id] if videos is not None else [])]
    section = Section(title="Any moment's truth", body=table(rows, options.queries), encoders=encoders)
    found: dict[str, object] = {**means(rows), "rows": [asdict(row) for row in rows]}
    if options.beliefs:
        tell_section(options, section)
        section, found["beliefs"] = _beliefs(options, videos)
    return tell_outcome(options, found, section)


def _beliefs(options: argparse.Namespace, videos: Path | None) -> tuple[Section, list[dict[str, object]]]:
    """How well what clips show is told from what they do not, by the belief in the best moment."""
    from hippocam.apps.bench.known.presence import read_shown, run, table
    from hippocam.apps.session import Session
    from hippocam.models.registry import make_encoder

    if videos is None:
        raise HippocamError("--beliefs needs clips: give their folder with --videos")
    never = json.loads(there(options.absent).read_text(encoding="utf-8"))
    clips = read_shown(there(options.things), videos)
    told, shifted = run(clips, never, open_session=Session, encoder=options.encoder, report=warn)
    encoders = [make_encoder(options.encoder).spec.id]
    section = Section(title="Presence", body=table(told, shifted), encoders=encoders)
    return section, [asdict(row) for row in told]


def _footage() -> Path | None:
    """Where clips are, if nobody says: what HIPPOCAM_TEST_DATA names, as tests have it."""
    named = os.environ.get("HIPPOCAM_TEST_DATA")
    return Path(named) if named and (Path(named) / "video").is_dir() else None


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add the options of words by meaning."""
    parser.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the clips are")
    parser.add_argument("--questions", type=Path, default=_QUESTIONS, metavar="FILE", help="with their times")
    parser.set_defaults(run=_words)


def _words(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.known.words import run, table
    from hippocam.apps.session import Session
    from hippocam.models.likeness import likeness_here

    alike = likeness_here()
    if alike is None:
        raise HippocamError("the weights of MiniLM are not here; fetch them with: hippocam models pull bundled")
    rows = run(there(options.questions), options.videos, alike, open_session=Session, report=warn)
    section = Section(title="Words by meaning", body=table(rows))
    return tell_outcome(options, [asdict(row) for row in rows], section)
