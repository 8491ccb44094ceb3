"""`hippocam bench ...`: what is measured, by commands that anyone can run again.

Nothing heavy is imported before a bench runs.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from hippocam.apps.cli.bench import options as bench_options
from hippocam.apps.cli.bench.cluster import add_cluster
from hippocam.apps.cli.bench.forgetting import add_forgetting
from hippocam.apps.cli.bench.known import add_known
from hippocam.apps.cli.bench.lifelog import add_lifelog
from hippocam.apps.cli.bench.poison import add_poison
from hippocam.apps.cli.bench.policy import add_policy
from hippocam.apps.cli.bench.robot import add_robot
from hippocam.apps.cli.bench.scale import add_scale
from hippocam.apps.cli.bench.sentences import add_sentences
from hippocam.apps.cli.bench.year import add_year
from hippocam.apps.terminal import tell, tell_json, warn
from hippocam.stream.errors import HippocamError

# Comes with the source code, not with an installed hippocam.
_GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "golden"
FOOTAGE, QUESTIONS = _GOLDEN / "footage", _GOLDEN / "questions"


def add_commands(bench: argparse.ArgumentParser) -> None:
    """Add the benches as commands of `hippocam bench`."""
    names = bench.add_subparsers(title="benches", required=True, metavar="NAME")

    moments = names.add_parser("moments", help="moment recall on annotated footage")
    moments.add_argument("--videos", type=Path, required=True, metavar="DIR", help="where the clips are")
    moments.add_argument("--truth", type=Path, nargs="+", metavar="FILE", help="annotations")
    moments.add_argument("--absent", type=Path, metavar="FILE", help="not shown")
    moments.add_argument("--encoder", metavar="NAME")
    moments.set_defaults(run=_moments)

    memory = names.add_parser("memory", help="which rule keeps the right memories in equal bytes")
    memory.add_argument(
        "--world",
        nargs="+",
        default=["synthetic", "synthetic-clean"],
        choices=("synthetic", "synthetic-clean", "real"),
        help="default: synthetic synthetic-clean; real needs footage",
    )
    memory.add_argument(
        "--seeds", type=bench_options.numbers, default=[1, 2, 3, 4, 5], metavar="1,2,3", help="of the streams"
    )
    memory.add_argument(
        "--slots",
        type=bench_options.numbers,
        default=None,
        metavar="N",
        help="plain slots whose bytes are the budget",
    )
    memory.add_argument("--policies", nargs="+", metavar="NAME", help="only these rules")
    memory.add_argument("--videos", type=Path, metavar="DIR", help="footage of the real world")
    memory.add_argument(
        "--plots", type=Path, metavar="DIR", help="draw recall by bytes and by age into this folder"
    )
    memory.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (costs then say nothing)")
    memory.set_defaults(run=_memory)

    scale = add_scale(names, _scale_hours)

    sleep = names.add_parser("sleep", help="how small a bank can be made while recall of its probes holds")
    sleep.add_argument(
        "--world", nargs="+", default=["synthetic-clean"], choices=("synthetic", "synthetic-clean", "real")
    )
    sleep.add_argument(
        "--seeds", type=bench_options.numbers, default=[1, 2, 3], metavar="1,2,3", help="of the streams"
    )
    sleep.set_defaults(run=_sleep)

    ingest = names.add_parser("ingest", help="how fast clips are watched on one core, beside what that must take")
    ingest.add_argument("--videos", type=Path, nargs="+", required=True, metavar="FILE", help="clips, by name")
    ingest.add_argument("--encoder", default="bundled", metavar="NAME")
    ingest.add_argument("--fps", type=float, default=1.0, metavar="F", help="frames looked at a second")
    ingest.add_argument("--rounds", type=int, default=3, metavar="N", help="of which the medians are taken")
    ingest.set_defaults(run=_ingest)

    qa = names.add_parser("qa", help="questions about videos, beside simple baselines with the same reader")
    bench_options.qa(qa)
    qa.set_defaults(run=_qa)

    answers = names.add_parser("answers", help="what people ask of films, scored against the truth")
    bench_options.answers(answers)
    answers.set_defaults(run=_answers)

    things = names.add_parser("things", help="small things, and things that are never shown")
    bench_options.things(things)
    things.set_defaults(run=_things)

    perception = names.add_parser("perception", help="what each encoder understands of pictures and footage")
    bench_options.perception(perception)
    perception.set_defaults(run=_perception)

    robot = names.add_parser("robot", help="what a robot's control loop waits for")
    add_robot(robot)

    cluster = names.add_parser("cluster", help="how an archive's throughput grows with a cluster's workers")
    add_cluster(cluster, _cluster)

    policy = names.add_parser("policy", help="policies that read our memory, beside policies with other memories")
    add_policy(policy)

    poison = names.add_parser("poison", help="what strangers can plant, tried against recall and readers")
    add_poison(poison, lambda options: _annotations(options, FOOTAGE), _parts)

    known = add_known(names, lambda: _parts()[1])
    others = (*known, add_sentences(names), add_lifelog(names), policy, add_forgetting(names), add_year(names))
    more = (*others, cluster)
    every = (moments, memory, scale, sleep, ingest, qa, answers, things, perception, robot, poison, *more)
    for command in every:
        command.add_argument(
            "--out", "--write", type=Path, metavar="FILE", help="Markdown file whose section is written anew"
        )
        command.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")


def _parts() -> tuple[Any, Any, Any]:
    from hippocam.apps.bench.poison.product import Product
    from hippocam.apps.session import Session
    from hippocam.apps.transfer import transfer

    return Product, Session, transfer


def _moments(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.moments import read_clips, run, table
    from hippocam.apps.bench.sections import write_section
    from hippocam.apps.session import Session

    truth, absent = _annotations(options, FOOTAGE)
    clips = list(read_clips(options.videos, truth))
    result = run(clips, absent, open_session=Session, encoder=options.encoder)
    tell(*table(result).splitlines())
    if options.out:
        truths = " ".join(map(os.path.relpath, truth))
        encoder = f" --encoder {options.encoder}" if options.encoder else ""
        command = f"hippocam bench moments --videos {options.videos} --truth {truths}{encoder}"
        title = f"Moments, encoder {result.encoder}"
        write_section(options.out, title, table(result), command=command, encoders=[result.encoder])
    if options.json:
        tell_json(asdict(result))
    return 0


def _cluster() -> Any:
    from hippocam.apps.bench.cluster import run

    return run


def _annotations(options: argparse.Namespace, *own: Path) -> tuple[list[Path], list[str]]:
    """Return the annotations that were given, else our own, and texts that no clip shows.

    Raises:
        HippocamError: A file is missing, or none was given and our own are not installed.
    """
    truth = options.truth or list(own)
    if options.truth is None and not FOOTAGE.is_dir():
        raise HippocamError(
            "no annotations come with an installed hippocam: give your own with --truth FILE..., and with "
            "--absent FILE a JSON list of texts that no clip shows"
        )
    shipped = FOOTAGE / "absent.json"
    absent = options.absent or (shipped if shipped.is_file() else None)
    for path in (*truth, *([absent] if absent else [])):
        if not path.exists():
            raise HippocamError(f"{path}: no such file; name your own with --truth and --absent")
    texts: list[str] = json.loads(absent.read_text(encoding="utf-8")) if absent else []
    return truth, texts


def _things(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.sections import write_section
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
    tell(*table(halves).splitlines())
    if options.out:
        command = f"hippocam bench things --videos {options.videos}"
        write_section(options.out, "Small things", table(halves), command=command, encoders=[encoder])
    if options.json:
        tell_json([asdict(half) for half in halves])
    return 0


def _perception(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import perception
    from hippocam.apps.bench.moments import read_clips
    from hippocam.apps.bench.retrieval import read_sets
    from hippocam.apps.bench.sections import write_section
    from hippocam.apps.bench.segmentation import read_truths
    from hippocam.apps.session import Session

    truth, absent = _annotations(options, FOOTAGE, FOOTAGE / "cuts")
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
    tell(*perception.table(result).splitlines())
    if options.out:
        typed = {"--images": options.images, "--videos": options.videos, "--objects": options.objects}
        command = "hippocam bench perception" + "".join(f" {k} {v}" for k, v in typed.items() if v is not None)
        command += f" --truth {' '.join(map(os.path.relpath, truth))}"
        command += f" --encoders {','.join(options.encoders)}" if options.encoders else ""
        ids = [seen.id for seen in result.encoders if seen.speed is not None]  # not those of references
        write_section(options.out, "Perception", perception.table(result), command=command, encoders=ids)
    if options.json:
        print(json.dumps(asdict(result), default=str))
    return 0


def _memory(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import memory, memory_report
    from hippocam.apps.bench.ours.entries import policies
    from hippocam.apps.bench.sections import write_section
    from hippocam.apps.worlds.footage import describe, real
    from hippocam.apps.worlds.worlds import WORLDS

    result = memory.run(
        options.world,
        options.seeds,
        options.slots or memory.SLOTS,
        options.policies,
        worlds={**WORLDS, "real": partial(real, videos=options.videos)},
        table=policies(),
        jobs=options.jobs,
        report=warn,
    )
    chosen = f"--seeds {','.join(map(str, options.seeds))}"
    if options.slots:
        chosen += f" --slots {','.join(map(str, options.slots))}"
    for world in result.worlds:
        tell(*memory_report.title(world).splitlines())
        tell(*memory_report.table(world).splitlines())
        if options.out:
            command = f"hippocam bench memory --world {world.world} {chosen}"
            notes = f"\n\n{describe(options.videos)}" if world.world == "real" else ""
            body = f"{memory_report.to_markdown(world)}{notes}"
            title = memory_report.title(world)
            write_section(options.out, title, body, command=command, encoders=[world.encoder])
    if options.plots:
        for picture in memory_report.plot(result, options.plots):
            tell(str(picture))
    if options.json:
        print(memory_report.to_json(result))
    return 0


def _scale_hours(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import scale_hours, scale_report
    from hippocam.apps.bench.sections import write_section

    if options.hours < 1:
        raise HippocamError(f"--hours must be 1 or more, found {options.hours}")
    sizes = [hours for hours in scale_hours.HOURS if hours < options.hours] + [options.hours]
    result = scale_hours.run(sizes, seconds=60 * options.minutes, report=warn)
    body = scale_report.table(result, speed=options.speed)
    tell(*body.splitlines())
    if options.out:
        given = f" --speed {options.speed:g}" if options.speed is not None else ""
        given += f" --minutes {options.minutes:g}" if options.minutes != 5 else ""
        command = f"hippocam bench scale --hours {options.hours}{given}"
        write_section(options.out, f"Scale, {options.hours:,} hours", body, command=command, encoders=[])
    if options.json:
        tell_json(asdict(result))
    return 0


def _ingest(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import ingest
    from hippocam.apps.bench.sections import write_section
    from hippocam.models.registry import make_encoder

    result = ingest.run(
        options.videos,
        encoder=options.encoder,
        fps=options.fps,
        rounds=options.rounds,
        report=warn,
    )
    tell(*ingest.table(result).splitlines())
    if options.out:
        names = " ".join(os.path.relpath(path) for path in options.videos)
        given = f" --encoder {options.encoder}" * (options.encoder != "bundled")
        given += f" --fps {options.fps:g}" * (options.fps != 1.0) + f" --rounds {options.rounds}"
        command, title = f"hippocam bench ingest --videos {names}{given}", f"Ingest, encoder {options.encoder}"
        encoder = make_encoder(options.encoder).spec.id
        write_section(options.out, title, ingest.table(result), command=command, encoders=[encoder])
    if options.json:
        tell_json(asdict(result))
    return 0


def _sleep(options: argparse.Namespace) -> int:
    from hippocam.apps.bench import sleep
    from hippocam.apps.bench.sections import write_section

    result = sleep.run(dict.fromkeys(options.world, options.seeds))
    tell(*sleep.table(result).splitlines())
    if options.out:
        worlds, seeds = " ".join(options.world), ",".join(map(str, options.seeds))
        command = f"hippocam bench sleep --world {worlds} --seeds {seeds}"
        ids = [stream.encoder for stream in result.streams]
        write_section(options.out, "Sleep", sleep.table(result), command=command, encoders=ids)
    if options.json:
        tell_json(asdict(result))
    return 0


def _qa(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.qa import predictions, report
    from hippocam.apps.bench.qa.files import read_files
    from hippocam.apps.bench.qa.run import QaConfig, run
    from hippocam.apps.bench.qa.videos import Videos
    from hippocam.apps.bench.sections import write_section
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
    tell(*report.table(result).splitlines())
    if options.answers:
        report.write_outcomes(options.answers, result)
    if options.out:
        names = " ".join(os.path.relpath(path) for path in options.files)
        command = f"hippocam bench qa {names} --videos {options.videos}{_given(options)}"
        title, body = report.title(result), report.table(result)
        write_section(options.out, title, body, command=command, encoders=[result.encoder])
    if options.json:
        print(report.to_json(result))
    return 0


def _answers(options: argparse.Namespace) -> int:
    from hippocam.apps.bench.answers import report, run
    from hippocam.apps.bench.answers.films import HALVES, read_films
    from hippocam.apps.bench.answers.sheet import read_sheets, with_readings, write_sheet
    from hippocam.apps.bench.sections import write_section
    from hippocam.apps.session import Session
    from hippocam.apps.settings import load_settings

    config = run.AnswersConfig(
        reader=options.reader, encoder=options.encoder, settings=load_settings(options.config)
    )
    readings, told = read_sheets(options.judged), {}
    for half in [options.half] if options.half else HALVES:
        films = read_films(options.questions or QUESTIONS, options.videos, [half])
        result = run.run(films, config, open_session=Session, report=warn)
        read = {way: with_readings(made, readings) for way, made in result.outcomes.items()}
        result = replace(result, outcomes=read)
        if options.json:
            told[half] = report.to_dict(result)
        body = report.table(result)
        tell(f"{half}:", *body.splitlines())
        if options.sheet:
            write_sheet(options.sheet.with_stem(f"{options.sheet.stem}-{half}"), result.memory_outcomes)
        if options.out:
            given = "".join(
                f" {k} {v}" for k, v in (("--reader", options.reader), ("--encoder", options.encoder)) if v
            )
            command = f"hippocam bench answers --videos {options.videos} --half {half}{given}"
            title = f"Answers, {half} half, reader {result.reader}"
            write_section(options.out, title, body, command=command, encoders=[result.encoder])
    if options.json:
        print(json.dumps(told, default=str))
    return 0


def _given(options: argparse.Namespace) -> str:
    """Return the options of `bench qa` that change its figures, as one would type them."""
    values = {"--reader": options.reader, "--encoder": options.encoder, "--limit": options.limit}
    values |= {"--budget-mb": f"{options.budget_mb:g}", "--config": options.config}
    default = {"--reader": "extractive", "--budget-mb": "64"}
    switches = {"--no-baselines": options.no_baselines, "--no-too-early": options.no_too_early}
    typed = "".join(f" {name} {v}" for name, v in values.items() if v is not None and v != default.get(name))
    return typed + "".join(f" {name}" for name, on in switches.items() if on)
