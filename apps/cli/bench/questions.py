"""`hippocam bench qa` and `answers`: questions about videos, and how many are answered rightly."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from hippocam.apps.cli.bench.options import GOLDEN
from hippocam.apps.cli.bench.outcome import Section, tell_found, tell_outcome, tell_section
from hippocam.apps.terminal import tell, tell_json, warn
from hippocam.stream.errors import HippocamError


def add_qa(parser: argparse.ArgumentParser) -> None:
    """Add the options of questions about videos."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="question files, or folders of them")
    parser.add_argument("--videos", type=Path, metavar="DIR", help="where the videos are, found by name")
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="only score these answers to FILE")
    parser.add_argument("--reader", default="extractive", metavar="NAME", help="who words the answers")
    parser.add_argument("--encoder", metavar="NAME")
    parser.add_argument("--budget-mb", type=float, default=64.0, metavar="N", help="of each video's memory")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first questions of each file")
    parser.add_argument("--no-baselines", action="store_true", help="only the memory")
    parser.add_argument("--no-too-early", action="store_true", help="ask none before its evidence")
    parser.add_argument("--memories", type=Path, metavar="DIR", help="keep the memories here, to ask them again")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="write every answer as JSON lines")
    parser.add_argument("--config", metavar="NAME", help="settings: a name that ships, or a YAML file")
    parser.set_defaults(run=_qa)


def _qa(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.qa import predictions, report
    from hippocam.apps.bench.qa.files import read_files
    from hippocam.apps.bench.qa.run import QaConfig, run
    from hippocam.apps.bench.qa.videos import Videos
    from hippocam.apps.session import Session
    from hippocam.apps.settings import load_settings

    if options.limit is not None and options.limit < 1:
        raise HippocamError(f"--limit must be 1 or more, found {options.limit}")
    files = read_files(options.files)
    if options.predictions:
        if len(files) != 1:
            raise HippocamError(f"--predictions scores the answers to one question file, found {len(files)}")
        scores = predictions.score_file(files[0], options.predictions)
        tell(*report.scores(files[0], scores).splitlines())
        if options.json:
            tell_json(scores)
        return 0
    if options.videos is None:
        raise HippocamError("--videos DIR is needed: the folder that holds the videos (or --predictions FILE)")
    config = QaConfig(
        reader=options.reader,
        encoder=options.encoder,
        budget_mb=options.budget_mb,
        baselines=not options.no_baselines,
        too_early=not options.no_too_early,
        memories=options.memories,
        settings=load_settings(options.config),
    )
    result = run(
        files,
        Videos(options.videos),
        config,
        open_session=Session,
        limit=options.limit,
        report=warn,
    )
    if options.answers:
        report.write_outcomes(options.answers, result)
    section = Section(title=report.title(result), body=report.table(result), encoders=[result.encoder])
    return tell_outcome(options, report.to_json(result), section)


def add_answers(parser: argparse.ArgumentParser) -> None:
    """Add the options of questions that people ask of films."""
    parser.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the films are")
    parser.add_argument("--questions", type=Path, metavar="DIR", help="folders calibrate and report of questions")
    parser.add_argument("--half", choices=("calibrate", "report"), help="only this half")
    parser.add_argument("--reader", metavar="NAME", help="who words the answers")
    parser.add_argument("--encoder", metavar="NAME")
    parser.add_argument("--config", metavar="NAME", help="settings: a name that ships, or a YAML file")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write every answer as CSV, to be read")
    parser.add_argument("--judged", type=Path, nargs="+", default=[], metavar="FILE", help="sheets that were read")
    parser.set_defaults(run=_answers)


def _answers(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.answers import report, run
    from hippocam.apps.bench.answers.films import HALVES, read_films
    from hippocam.apps.bench.answers.sheet import read_sheets, with_readings, write_sheet
    from hippocam.apps.session import Session
    from hippocam.apps.settings import load_settings

    config = run.AnswersConfig(
        reader=options.reader, encoder=options.encoder, settings=load_settings(options.config)
    )
    readings, told = read_sheets(options.judged), {}
    for half in [options.half] if options.half else HALVES:
        films = read_films(options.questions or GOLDEN / "questions", options.videos, [half])
        result = run.run(films, config, open_session=Session, report=warn)
        read = {way: with_readings(made, readings) for way, made in result.outcomes.items()}
        result = replace(result, outcomes=read)
        told[half] = report.to_dict(result)
        if options.sheet:
            write_sheet(options.sheet.with_stem(f"{options.sheet.stem}-{half}"), result.memory_outcomes)
        title, body = f"Answers, {half} half, reader {result.reader}", report.table(result)
        tell_section(options, Section(title=title, body=body, encoders=[result.encoder], shown=f"{half}:\n{body}"))
    return tell_found(options, json.dumps(told, default=str))
