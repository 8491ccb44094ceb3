"""`hippocam train ...`: what consolidation, sleep and the encoder know beforehand, learned anew from own data.

Nothing heavy is imported before a training runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hippocam.apps.terminal import tell, tell_json

if TYPE_CHECKING:
    from hippocam.apps.records import WatchReport

Run = Callable[[argparse.Namespace], int]


def add_commands(train: argparse.ArgumentParser) -> None:
    """Add the subcommands of `hippocam train`."""
    names = train.add_subparsers(title="what to train", required=True, metavar="NAME")
    consolidation = _add(names, "consolidation", _consolidation, "what is worth keeping, and how memories fade")
    consolidation.add_argument("--questions", type=Path, metavar="FILE", help="what may be asked, a line each")
    _add(names, "sleep", _sleep, "which entries may become one while a memory sleeps")
    _add_regions(names, "regions", "how much the regions of a picture say, beside the whole")
    _add_outline(names, "outline", "what is left of the default encoder's vectors where they are reduced")
    _add_encoder(names, "encoder", "what the encoder `bundled` makes of pictures and texts")


def _add(
    names: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Run, text: str
) -> argparse.ArgumentParser:
    command = names.add_parser(name, help=text)
    worlds = ("synthetic", "real", "all") if name == "sleep" else ("synthetic", "real")
    material = command.add_mutually_exclusive_group(required=True)
    material.add_argument("--memory", type=Path, nargs="+", metavar="DIR", help="learn from these memories")
    material.add_argument("--videos", nargs="+", metavar="SOURCE", help="learn from these videos or folders")
    material.add_argument("--world", choices=worlds, help="learn from streams of the bench")
    command.add_argument("--encoder", metavar="NAME", help="of the videos")
    command.add_argument("--out", type=Path, metavar="DIR", help="default: where memories look first")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the training (default 0)")
    command.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    command.set_defaults(run=run)
    return command


def _add_outline(names: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> None:
    command = names.add_parser(name, help=text)
    command.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="captions: val_1.json and val_2.json"
    )
    command.add_argument("--videos", type=Path, metavar="DIR", help="clips and photographs of the bench")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the training (default 0)")
    command.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    command.set_defaults(run=_outline)


def _add_regions(names: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> None:
    command = names.add_parser(name, help=text)
    command.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="photographs: images/ and captions.tsv"
    )
    command.add_argument("--also", type=Path, metavar="FOLDER", help="another such folder to measure on")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the slide shows (default 0)")
    command.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    command.set_defaults(run=_regions)


def _add_encoder(names: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> None:
    command = names.add_parser(name, help=text)
    command.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER", help="photographs: images/ and captions.tsv"
    )
    command.add_argument("--also", type=Path, metavar="FOLDER", help="another such folder to report on")
    command.add_argument("--out", type=Path, metavar="DIR", help="default: encoder/ beside what else was trained")
    command.add_argument("--id", metavar="NAME", help="what memories know it by (default: by what was trained)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of the training (default 0)")
    command.add_argument("--steps", type=int, metavar="N", help="batches (default 300)")
    command.set_defaults(run=_encoder)


def _command_line(options: argparse.Namespace, name: str, *, questions: bool = False) -> str:
    """Return the command that trains the same again, without private paths."""
    given = "--memory DIR..." if options.memory else "--videos SOURCE..."
    given = f"--world {options.world}" if options.world else given
    given += " --questions FILE" if questions else ""
    given += " --out DIR" if options.out else ""
    return f"hippocam train {name} {given} --seed {options.seed}"


def _consolidation(options: argparse.Namespace) -> int:
    from hippocam.apps.training import consolidation as train

    questions = train.read_questions(options.questions) if options.questions else []
    if options.world:
        material = train.from_world(options.world, questions)
    elif options.memory:
        material = train.from_memories(options.memory, questions)
    else:
        material = train.from_videos(partial(_watch, options), questions)
    command = _command_line(options, "consolidation", questions=bool(questions))
    trained, files = train.train(material, out=options.out, seed=options.seed, command=command)
    _tell(options, train.train_lines(trained, files), train.train_json(trained, files))
    return 0


def _sleep(options: argparse.Namespace) -> int:
    from hippocam.apps.training import sleep as train_sleep

    if options.world:
        lessons = train_sleep.from_worlds(options.world)
    elif options.memory:
        lessons = train_sleep.from_memories(options.memory)
    else:
        lessons = train_sleep.from_videos(partial(_watch, options))
    command = _command_line(options, "sleep")
    report, files = train_sleep.train_sleep(lessons, out=options.out, seed=options.seed, command=command)
    _tell(options, train_sleep.sleep_lines(report, files), train_sleep.sleep_json(report, files))
    return 0


def _regions(options: argparse.Namespace) -> int:
    from hippocam.models.training.regions import fit_regions

    fitted, also = fit_regions(options.data, options.also, seed=options.seed)
    bias, belief, nearness = fitted.weights
    usual, rises = fitted.usual
    lines = [
        f"log odds {bias:.2f} + {belief:.3f} of the belief's + {nearness:.2f} of the nearest region's nearness",
        f"that nearness is usually {usual:.3f} + {rises:.4f} of the belief's log odds",
    ]
    for name, each in (("fitted on", fitted), ("measured on", also)):
        if each is not None:
            lines.append(
                f"{name}: AUC {each.auc[0]:.3f} (whole pictures alone {each.auc[1]:.3f}), there and believed"
                f" {each.there[0]:.2f} ({each.there[1]:.2f}), absent and not {each.absent[0]:.2f}"
                f" ({each.absent[1]:.2f})"
            )
    _tell(options, lines, {"fitted": asdict(fitted), "also": None if also is None else asdict(also)})
    return 0


def _outline(options: argparse.Namespace) -> int:
    from hippocam.apps.training.outline import train_outline

    tables, files = train_outline(
        options.data,
        videos=options.videos,
        out=options.out,
        seed=options.seed,
        command=f"hippocam train outline --data FOLDER --out DIR --seed {options.seed}",
    )
    lines = [f"{count} tables: error of a cosine {error:.3f}" for count, error in tables.errors.items()]
    lines += [f"wrote {file} ({file.stat().st_size / 1e3:.0f} kB)" for file in files]
    _tell(options, lines, {"files": [str(file) for file in files], "errors": tables.errors})
    return 0


def _watch(options: argparse.Namespace, folder: Path) -> WatchReport:
    """Watch the videos of a training into a memory."""
    from hippocam.apps.cli.progress import WatchBar
    from hippocam.apps.session import Session
    from hippocam.apps.training.videos import BUDGET_MB

    with WatchBar() as bar, Session(folder, encoder=options.encoder) as session:
        return session.watch(options.videos, budget_mb=BUDGET_MB, on_progress=bar.update)


def _encoder(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from hippocam.memory.trained import own_folder
    from hippocam.models.training.encoder import TrainConfig, train_encoder
    from hippocam.models.weights import cache_dir

    config = TrainConfig(seed=options.seed)
    if options.steps is not None:
        config = replace(config, steps=options.steps)
    out = options.out or own_folder() / "encoder"
    train_encoder(
        options.data,
        out=out,
        also=options.also,
        cache=cache_dir().parent / "features",
        config=config,
        encoder_id=options.id,
    )
    tell(f"wrote {out}; use it by --encoder bundled:{out}")
    return 0


def _tell(options: argparse.Namespace, lines: list[str], values: dict[str, object]) -> None:
    if options.json:
        tell_json(values)
    else:
        tell(*lines)
