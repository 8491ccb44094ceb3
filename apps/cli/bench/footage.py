"""`hippocam bench moments`, `things` and `perception`: what is found in annotated footage and photographs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from hippocam.apps.cli.bench.options import FOOTAGE, annotated
from hippocam.apps.cli.bench.outcome import Section, tell_outcome
from hippocam.apps.terminal import warn
from hippocam.stream.errors import HippocamError


def add_moments(parser: argparse.ArgumentParser) -> None:
    """Add the options of moments."""
    parser.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the clips are")
    parser.add_argument("--truth", type=Path, nargs="+", metavar="FILE", help="annotations")
    parser.add_argument("--absent", type=Path, metavar="FILE", help="not shown")
    parser.add_argument("--encoder", metavar="NAME")
    parser.set_defaults(run=_moments)


def _moments(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.moments import read_clips, run, table
    from hippocam.apps.session import Session

    truth, absent = annotated(options, FOOTAGE)
    clips = list(read_clips(options.videos, truth))
    result = run(clips, absent, open_session=Session, encoder=options.encoder)
    title = f"Moments, encoder {result.encoder}"
    section = Section(title=title, body=table(result), encoders=[result.encoder])
    return tell_outcome(options, asdict(result), section)


def add_things(parser: argparse.ArgumentParser) -> None:
    """Add the options of small things."""
    parser.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the clips are")
    parser.add_argument("--things", type=Path, metavar="FILE", help="annotated things")
    parser.add_argument("--absent", type=Path, metavar="FILE", help="not shown")
    parser.add_argument("--half", choices=("calibrate", "report"), help="only this half")
    parser.add_argument("--encoder", metavar="NAME")
    parser.add_argument("--no-baselines", action="store_true", help="only the memory")
    parser.set_defaults(run=_things)


def _things(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.things.run import run, table
    from hippocam.apps.bench.things.truth import HALVES, read_things
    from hippocam.apps.session import Session

    file, absent = options.things or FOOTAGE / "things" / "queries.json", options.absent or FOOTAGE / "absent.json"
    if not absent.is_file():
        raise HippocamError(f"{absent}: no such file; name your own with --things and --absent")
    encoder, halves = run(
        read_things(file, options.videos, [options.half] if options.half else HALVES),
        json.loads(absent.read_text(encoding="utf-8")),
        open_session=Session,
        encoder=options.encoder,
        plain=not options.no_baselines,
        report=warn,
    )
    section = Section(title="Small things", body=table(halves), encoders=[encoder])
    return tell_outcome(options, [asdict(half) for half in halves], section)


def add_perception(parser: argparse.ArgumentParser) -> None:
    """Add the options of what encoders understand."""
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="captioned photographs: folders with images/ and captions.tsv"
    )
    parser.add_argument("--videos", type=Path, metavar="DIR", help="where the clips are")
    parser.add_argument(
        "--truth",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="annotations of events and cuts; <video>_scenes.csv of PySceneDetect",
    )
    parser.add_argument("--absent", type=Path, metavar="FILE", help="not shown")
    parser.add_argument("--objects", type=Path, metavar="DIR", help="tracks for re-identification")
    parser.add_argument(
        "--encoders", type=lambda text: text.split(","), metavar="a,b", help="default: bundled,conse,palette"
    )
    parser.set_defaults(run=_perception)


def _perception(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import perception
    from hippocam.apps.bench.moments import read_clips
    from hippocam.apps.bench.retrieval import read_sets
    from hippocam.apps.bench.segmentation import read_truths
    from hippocam.apps.session import Session

    truth, absent = annotated(options, FOOTAGE, FOOTAGE / "cuts")
    sets = read_sets(options.images) if options.images else []
    training = sets[0].files[0].parent.parent if sets and sets[0].trains else None
    given = perception.Given(
        photographs=sets,
        training=training,
        clips=list(read_clips(options.videos, truth)) if options.videos else [],
        absent=absent,
        truths=read_truths(options.videos, truth) if options.videos else [],
        objects=options.objects,
    )
    result = perception.run(options.encoders or perception.ENCODERS, given, open_session=Session, report=warn)
    ids = [seen.id for seen in result.encoders if seen.speed is not None]  # not those of references
    section = Section(title="Perception", body=perception.table(result), encoders=ids)
    return tell_outcome(options, json.dumps(asdict(result), default=str), section)
