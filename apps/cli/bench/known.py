"""`hippocam bench presence` and `bench words`: what is said to be there, and what is found by what it means."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hippocam.apps.terminal import tell, tell_json, warn
from hippocam.stream.errors import HippocamError

_GOLDEN = Path("tests/golden")
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
        "presence", help="things that clips show and do not show, asked for by name"
    )
    presence.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the clips are")
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
    from hippocam.apps.bench.known.presence import read_shown, run, table
    from hippocam.models.registry import make_encoder

    clips = read_shown(_there(options.things), options.videos)
    never = json.loads(_there(options.absent).read_text(encoding="utf-8"))
    told = run(clips, never, open_session=session, encoder=options.encoder, report=warn)
    command = f"hippocam bench presence --videos {options.videos}"
    _write(options, "Presence", table(told), command, [make_encoder(options.encoder).spec.id])
    if options.json:
        tell_json([asdict(row) for row in told])
    return 0


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
