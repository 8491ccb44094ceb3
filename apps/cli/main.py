"""The command line: thin over `Session`. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hippocam.apps.cli.archive import add_commands as add_archive
from hippocam.apps.cli.bench.commands import add_commands as add_benches
from hippocam.apps.cli.clip import add_clip
from hippocam.apps.cli.entities import add_arguments as add_entities
from hippocam.apps.cli.forget import add_arguments as add_forget
from hippocam.apps.cli.forget import add_quarantine
from hippocam.apps.cli.forget import forget as run_forget
from hippocam.apps.cli.live import add_commands as add_live
from hippocam.apps.cli.mcp import add_arguments as add_mcp
from hippocam.apps.cli.models import add_commands as add_models
from hippocam.apps.cli.pin import add_arguments as add_pin
from hippocam.apps.cli.pin import pin as run_pin
from hippocam.apps.cli.robot.commands import add_commands as add_robot
from hippocam.apps.cli.sleep import add_arguments as add_sleep
from hippocam.apps.cli.sleep import sleep as run_sleep
from hippocam.apps.cli.train import add_commands as add_trainings
from hippocam.apps.cli.transfer import add_export, add_import
from hippocam.apps.cli.verify import add_arguments as add_verify
from hippocam.apps.cli.where import add_memories, add_where, memory_of, where_of
from hippocam.apps.terminal import Parser, prepare, tell, tell_json, warn
from hippocam.apps.web.arguments import add_arguments as add_web
from hippocam.apps.web.arguments import certificate_of, options_of
from hippocam.stream.errors import HippocamError

if TYPE_CHECKING:
    from hippocam.apps.records import Answer
    from hippocam.apps.session import Session

DEFAULT_MEMORY = "hippocam-memory"
EXECUTORS = ("local", "ray")
# What people do, and by which commands.
GROUPS = {
    "Watch": ("watch", "live", "clip"),
    "Ask": ("ask", "search", "chat", "web", "mcp", "entities"),
    "Keep": (
        *("status", "explain", "pin", "unpin", "forget", "quarantine", "release", "sleep"),
        *("export", "import", "verify", "upgrade"),
    ),
    "Robots": ("robot",),
    "Archives": ("archive",),
    "Develop": ("models", "train", "bench"),
}
# Letters of a path in an error of a disk.
_MOST_OF_A_NAME = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0 done, 1 some sources failed or the work was cut short, 2 wrong use.
    """
    prepare()
    parser, arguments = _parser(), sys.argv[1:] if arguments is None else arguments
    if not arguments:
        parser.print_help()
        return 2
    options = parser.parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except HippocamError as error:
        from hippocam.apps.cli.advice import ADVICE
        from hippocam.apps.errors import advised

        warn(f"hippocam: {advised(error, ADVICE)}")
        return error.exit_code
    except sqlite3.DatabaseError as error:
        where = f"hippocam verify --memory {getattr(options, 'memory', DEFAULT_MEMORY)}"
        warn(f"hippocam: the database is damaged ({_one_line(error)}); see what can be saved: {where}")
        return 2
    except UnicodeEncodeError as error:
        warn(f"hippocam: {error.object!r} is not UTF-8, as all names are; write it anew")
        return 2
    except (ValueError, OverflowError) as error:
        warn(f"hippocam: {_one_line(error)}")
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:  # what a disk says of a file that was named, where nobody below has a better word
        warn(f"hippocam: {_told(error)}; see to the path, its owner and its disk")
        return 2
    except KeyboardInterrupt:
        warn("hippocam: stopped; what was watched is kept, and watching again goes on from there")
        return 130


def _told(error: OSError) -> str:
    """What went wrong with which file; of a name that is too long its first letters."""
    name = "" if error.filename is None else f"{os.fsdecode(error.filename)[:_MOST_OF_A_NAME]}: "
    return f"{name}{error.strerror or _one_line(error)}"


def _one_line(error: Exception | str) -> str:
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="hippocam",
        description="A memory for video and robots: watch, then ask.",
        epilog="Begin with `hippocam watch VIDEO` and `hippocam ask QUESTION`, or with `hippocam web`.",
    )
    version = importlib.metadata.version("hippocam")
    parser.add_argument("--version", action="version", version=f"hippocam {version}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", groups=GROUPS)
    _add_watching(commands)
    _add_asking(commands)
    _add_keeping(commands)
    add_robot(commands)
    add_archive(commands)
    add_models(commands)
    add_trainings(commands.add_parser("train", help="learn beforehand how memories are kept"))
    add_benches(commands.add_parser("bench", help="measure what it can and what that takes"))
    return parser


def _add_watching(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    watch = _command(commands, "watch", _watch, "watch videos, folders, image folders or LeRobot datasets")
    watch.add_argument("sources", nargs="+", metavar="SOURCE", help="file, folder or quoted glob")
    watch.add_argument(
        "--budget-mb", type=float, metavar="N", help="what the memory may take on disk (default 256)"
    )
    watch.add_argument("--fps", type=float, metavar="F", help="frames looked at a second (default 1)")
    watch.add_argument(
        "--fast", action="store_true", help="preview videos by key frames alone; watching again refines"
    )
    watch.add_argument(
        "--dated",
        action="store_true",
        help="times are dates where names or files tell: a camera's are one timeline",
    )
    watch.add_argument(
        "--encoder",
        metavar="NAME",
        help="bundled (default), conse, open_clip:MODEL/WEIGHTS, onnx:FOLDER, a plug-in, or auto for the best that"
        " is here; hippocam models lists them",
    )
    watch.add_argument("--executor", choices=EXECUTORS, default="local", help="in this process, or on Ray")
    watch.add_argument("--zones", type=Path, metavar="FILE", help="zones and masks in a YAML file")
    add_live(commands)
    clip = _command(commands, "clip", _status, "write footage of a camera or a recording into a file")
    add_clip(clip, _session)


def _add_asking(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    search = _command(commands, "search", _search, "find the moments that show what a text describes")
    search.add_argument("text", metavar="TEXT")
    add_where(search)
    add_memories(search)

    ask = _command(commands, "ask", _ask, "answer a question, with its moments")
    ask.add_argument("question", metavar="QUESTION")
    chat = _command(commands, "chat", _chat, "answer question after question, a line of stdin each")
    for command in (ask, chat):
        add_where(command)
        add_memories(command)
        command.add_argument(
            "--reader",
            metavar="NAME",
            help="who words the answer: extractive (default), openai[:MODEL], transformers:PATH, gguf[:MODEL]",
        )
        command.add_argument(
            "--explain", action="store_true", help="print what was understood, and what was given"
        )
        command.add_argument(
            "--deep",
            action=argparse.BooleanOptionalAction,
            help="look at the source again where evidence is thin (default: for readers that see)",
        )

    web = _command(commands, "web", _web, "open the page", json_output=False)
    add_memories(web)
    add_web(web)

    text = "the memory as tools for a model: the Model Context Protocol over stdin and stdout"
    mcp = _command(commands, "mcp", _status, text, json_output=False)
    add_memories(mcp)
    add_mcp(mcp, _session)

    entities = _command(commands, "entities", _status, "things and people that were told apart", json_output=False)
    add_entities(entities, _session)
    add_memories(entities)


def _add_keeping(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add_memories(_command(commands, "status", _status, "what the memory holds, by stream and tier"))

    explain = _command(commands, "explain", _explain, "why an entry is held, or was given up")
    explain.add_argument("entry", metavar="ENTRY", help="its id, or the first digits of it")
    pin = _command(commands, "pin", _pin, "never give up these entries")
    add_pin(pin)
    unpin = _command(commands, "unpin", _unpin, "give up these entries like any others")
    add_pin(unpin)

    forget = _command(commands, "forget", _forget, "delete for good: entries, or a stream, a camera, a time")
    add_forget(forget)

    text = "recall no more what came from somewhere; without options, list what is kept so"
    add_quarantine(_command(commands, "quarantine", _status, text))
    text = "take something out of quarantine: it is recalled again"
    add_quarantine(_command(commands, "release", _status, text), released=True)

    sleep = _command(commands, "sleep", _sleep, "make the memory smaller while what it recalls holds")
    add_sleep(sleep)

    text = "write a memory into a file"
    add_export(_command(commands, "export", _status, text, json_output=False, config=False))
    add_import(_command(commands, "import", _status, "take the streams of an exported memory in"))

    _command(
        commands, "upgrade", _upgrade, "bring a memory of an older hippocam to this one's format", config=False
    )

    text = "whether a memory is as it was written, and what is set right where it is not"
    add_verify(_command(commands, "verify", _status, text, config=False))


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
    *,
    json_output: bool = True,
    memory: bool = True,
    config: bool = True,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text)
    if memory:
        command.add_argument("--memory", default=DEFAULT_MEMORY, metavar="DIR", help=f"default {DEFAULT_MEMORY}")
    if memory and config:
        command.add_argument("--config", metavar="NAME", help="settings: one that ships, or a YAML file")
    if json_output:
        command.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    command.set_defaults(run=run)
    return command


def _session(options: argparse.Namespace) -> Session:
    from hippocam.apps.session import Session
    from hippocam.apps.settings import load_settings

    return Session(
        memory_of(options, DEFAULT_MEMORY),
        encoder=getattr(options, "encoder", None),
        settings=load_settings(options.config),
    )


def _watch(options: argparse.Namespace) -> int:
    from hippocam.apps.cli.progress import WatchBar
    from hippocam.apps.cli.watched import tell_watched
    from hippocam.apps.zones.files import read_zones

    zones = read_zones(options.zones) if options.zones else None
    with _session(options) as session, WatchBar() as bar:
        report = session.watch(
            options.sources,
            fps=options.fps,
            fast=options.fast,
            dated=options.dated,
            budget_mb=options.budget_mb,
            executor=options.executor,
            zones=zones,
            on_progress=bar.update,
        )
    return tell_watched(report, as_json=options.json)


def _search(options: argparse.Namespace) -> int:
    from hippocam.apps.cli.report import evidence_lines
    from hippocam.apps.shown.evidence import evidence_json

    with _session(options) as session:
        moments = session.search(options.text, **where_of(options))
    if options.json:
        tell_json({"moments": [evidence_json(moment) for moment in moments]})
    else:
        tell(*evidence_lines(moments) or ["Nothing in the memory for that time and place."])
    return 0


def _ask(options: argparse.Namespace) -> int:
    with _session(options) as session:
        answer = session.ask(options.question, reader=options.reader, deep=options.deep, **where_of(options))
        code = _tell_answer(options, answer)
        session.used(answer)
    return code


def _chat(options: argparse.Namespace) -> int:
    from hippocam.apps.ask.conversation import Conversation

    code = 0
    with _session(options) as session:
        talk = Conversation(session, reader=options.reader, deep=options.deep, **where_of(options))
        while True:
            if sys.stdin.isatty():
                tell("> ", end="", file=sys.stderr)
            question = sys.stdin.readline()
            if not question:
                return code
            if question.strip():
                answer = talk.ask(question.strip())
                code = max(code, _tell_answer(options, answer))
                session.used(answer)


def _tell_answer(options: argparse.Namespace, answer: Answer) -> int:
    from hippocam.apps.api import answer_json
    from hippocam.apps.cli.report import answer_lines, given_lines

    if options.json:
        tell_json(answer_json(answer, explain=options.explain))
    else:
        lines = given_lines(answer) if options.explain else []
        tell(*lines, *answer_lines(answer, figures=options.explain))
    if answer.failed:
        warn(f"hippocam: reader {_one_line(answer.failed)}")
        warn(f"hippocam: the {answer.reader} reader worded this from the evidence alone")
    return 1 if answer.failed else 0


def _status(options: argparse.Namespace) -> int:
    from hippocam.apps.api import status_json
    from hippocam.apps.cli.report import status_lines

    with _session(options) as session:
        status = session.status()
    if options.json:
        tell_json(status_json(status))
    else:
        tell(*status_lines(status))
    return 0


def _explain(options: argparse.Namespace) -> int:
    from hippocam.apps.api import explain_json
    from hippocam.apps.cli.explain import explain_lines

    with _session(options) as session:
        entry_id, found = session.explain(options.entry)
    if options.json:
        tell_json(explain_json(entry_id, found))
    else:
        tell(*explain_lines(entry_id, found))
    return 0


def _pin(options: argparse.Namespace, *, pinned: bool = True) -> int:
    with _session(options) as session:
        return run_pin(session, options, pinned=pinned)


def _forget(options: argparse.Namespace) -> int:
    with _session(options) as session:
        return run_forget(session, options)


def _sleep(options: argparse.Namespace) -> int:
    with _session(options) as session:
        return run_sleep(session, options)


def _unpin(options: argparse.Namespace) -> int:
    return _pin(options, pinned=False)


def _upgrade(options: argparse.Namespace) -> int:
    from hippocam.memory.store.migrations import upgrade
    from hippocam.memory.store.schema import FORMAT

    found = upgrade(Path(options.memory))
    if options.json:
        tell_json({"memory": options.memory, "from": found, "to": FORMAT})
    elif found == FORMAT:
        tell(f"{options.memory}: is of format {FORMAT} already")
    else:
        tell(f"{options.memory}: brought from format {found} to {FORMAT}")
    return 0


def _web(options: argparse.Namespace) -> int:
    from hippocam.apps.web.server import serve

    certificate = certificate_of(options)
    with _session(options) as session:
        serve(
            session,
            host=options.host,
            port=options.port,
            names=options.name,
            certificate=certificate,
            options=options_of(options),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
