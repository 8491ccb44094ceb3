"""`hippocam bench presence` and `bench words`: what is said to be there, and what is found by what it means."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hippocam.apps.cli.bench.options import numbers
from hippocam.apps.terminal import tell, tell_json, warn
from hippocam.stream.errors import HippocamError

_GOLDEN = Path("tests/golden")
_TIMELINES = _GOLDEN / "presence" / "timelines.json"
_THINGS = _GOLDEN / "presence" / "things.json"
_NEVER = _GOLDEN / "footage" / "absent.json"
_QUESTIONS = _GOLDEN / "words" / "questions.json"


def add_known(names: Any, session: Callable[[], Any]) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Add both benches among the others.

    Args:
        names: What takes their parsers.
        session: Loads what opens a memory: `hippocam.apps.Session`.
    """
    presence: argparse.ArgumentParser = names.add_parser(
        "presence", help="seen, gone, never looked, not seen: what is told as of any moment"
    )
    presence.add_argument("--seeds", type=numbers, default=[1, 2, 3], metavar="1,2,3", help="of the streams")
    presence.add_argument(
        "--queries", type=int, default=1_000_000, metavar="N", help="moments at which no later look may tell"
    )
    presence.add_argument("--videos", type=Path, metavar="DIR", help="where the clips are")
    presence.add_argument("--timelines", type=Path, default=_TIMELINES, metavar="FILE", help="what is when")
    presence.add_argument("--beliefs", action="store_true", help="also what a search believes")
    presence.add_argument("--things", type=Path, default=_THINGS, metavar="FILE", help="what they show")
    presence.add_argument("--absent", type=Path, default=_NEVER, metavar="FILE", help="not shown")
    presence.add_argument("--encoder", default="bundled", metavar="NAME")
    presence.set_defaults(run=lambda options: _presence(options, session()))
    words: argparse.ArgumentParser = names.add_parser(
        "words", help="questions about what is written, in other words"
    )
    words.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the clips are")
    words.add_argument("--questions", type=Path, default=_QUESTIONS, metavar="FILE", help="with their times")
    words.set_defaults(run=lambda options: _words(options, session()))
    return presence, words


def _presence(options: argparse.Namespace, session: Any) -> int:
    from hippocam.apps.bench.asof.run import Plan, means, run, table
    from hippocam.models.registry import make_encoder

    videos = options.videos or _footage()
    if videos is None:
        warn("no footage: planned streams alone; --videos names a folder of clips")
    plan = Plan(
        seeds=tuple(options.seeds),
        queries=options.queries,
        videos=videos,
        timelines=_there(options.timelines) if videos is not None else options.timelines,
        encoder=options.encoder,
    )
    rows = run(plan, session, warn)
    at = "" if videos is None else f" --videos {videos}"
    command = f"hippocam bench presence{at} --seeds {','.join(map(str, options.seeds))}"
    encoders = ["palette:1", *([make_encoder(options.encoder).spec.id] if videos is not None else [])]
    _write(options, "Any moment's truth", table(rows, options.queries), command, encoders)
    found: dict[str, object] = {**means(rows), "rows": [asdict(row) for row in rows]}
    if options.beliefs:
        found["beliefs"] = _beliefs(options, session, videos)
    if options.json:
        tell_json(found)
    return 0


def _beliefs(options: argparse.Namespace, session: Any, videos: Path | None) -> list[dict[str, object]]:
    """How well what clips show is told from what they do not, by the belief in the best moment."""
    from hippocam.apps.bench.known.presence import read_shown, run, table
    from hippocam.models.registry import make_encoder

    if videos is None:
        raise HippocamError("--beliefs needs clips: give their folder with --videos")
    never = json.loads(_there(options.absent).read_text(encoding="utf-8"))
    clips = read_shown(_there(options.things), videos)
    told, shifted = run(clips, never, open_session=session, encoder=options.encoder, report=warn)
    command = f"hippocam bench presence --beliefs --videos {videos}"
    _write(options, "Presence", table(told, shifted), command, [make_encoder(options.encoder).spec.id])
    return [asdict(row) for row in told]


def _footage() -> Path | None:
    """Where clips are, if nobody says: what HIPPOCAM_TEST_DATA names, as tests have it."""
    named = os.environ.get("HIPPOCAM_TEST_DATA")
    return Path(named) if named and (Path(named) / "video").is_dir() else None


def _words(options: argparse.Namespace, session: Any) -> int:
    from hippocam.apps.bench.known.words import run, table
    from hippocam.models.likeness import likeness_here

    alike = likeness_here()
    if alike is None:
        raise HippocamError("the weights of MiniLM are not here; fetch them with: hippocam models pull bundled")
    rows = run(_there(options.questions), options.videos, alike, open_session=session, report=warn)
    _write(options, "Words by meaning", table(rows), f"hippocam bench words --videos {options.videos}", [])
    if options.json:
        tell_json([asdict(row) for row in rows])
    return 0


def _there(file: Path) -> Path:
    if not file.is_file():
        raise HippocamError(f"{file}: no such file; run this in a checkout, or name your own")
    return file


def _write(options: argparse.Namespace, title: str, body: str, command: str, encoders: list[str]) -> None:
    from hippocam.apps.bench.sections import write_section

    tell(*body.splitlines())
    if options.out:
        write_section(options.out, title, body, command=command, encoders=encoders)
