"""`hippocam models`: list models, fetch and export them. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from hippocam.apps.terminal import tell, tell_json

if TYPE_CHECKING:
    from hippocam.models.inventory import Model

_TITLES = {"encoder": "Encoders (--encoder)", "reader": "Readers (--reader)", "weights": "Files of weights"}


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `models` with its subcommands; without one it lists."""
    models = commands.add_parser("models", help="which models can be used now, and what the others need")
    models.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    models.set_defaults(run=_list)
    names = models.add_subparsers(title="commands", metavar="COMMAND")
    pull = names.add_parser("pull", help="fetch what a model needs")
    pull.add_argument("names", nargs="*", metavar="NAME", help="as `hippocam models` lists them")
    pull.add_argument("--all", action="store_true", help="all that watching uses, as before a cluster starts")
    pull.set_defaults(run=_pull)
    text = "write a model of open_clip into a folder that --encoder onnx:FOLDER takes, also on another machine"
    export = names.add_parser("export", help=text)
    export.add_argument("name", metavar="open_clip:MODEL/WEIGHTS")
    export.add_argument("folder", type=Path, metavar="FOLDER", help="a new one")
    export.set_defaults(run=_export)
    for command in (pull, export):  # given before or after the command's name
        command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="as for models")


def _list(options: argparse.Namespace) -> int:
    from hippocam.models.inventory import inventory

    models = inventory()
    if options.json:
        tell_json({"models": [_fields(model) for model in models]})
    else:
        tell(*_lines(models))
    return 0


def _pull(options: argparse.Namespace) -> int:
    from hippocam.models.errors import UnknownModelError
    from hippocam.models.inventory import needed, pull

    names = dict.fromkeys([*(needed() if options.all else ()), *options.names])
    if not names:
        raise UnknownModelError("nothing to pull: give names, or --all for all that watching uses")
    pulled = {name: [str(path) for path in pull(name)] for name in names}
    if options.json:
        tell_json({"pulled": pulled})
        return 0
    for name, paths in pulled.items():
        tell(f"{name} is ready{': ' if paths else ''}{', '.join(paths)}")
    return 0


def _export(options: argparse.Namespace) -> int:
    from hippocam.models.encoders.open_clip.encoder import OpenClipEncoder
    from hippocam.models.errors import UnknownModelError

    kind, _, argument = options.name.partition(":")
    if kind != "open_clip":
        raise UnknownModelError(f"{options.name!r} cannot be exported; give open_clip:MODEL/WEIGHTS")
    card = OpenClipEncoder(argument).export(options.folder)
    if options.json:
        found = {"difference": card.largest_difference, "times_as_fast": card.times_as_fast}
        tell_json({"folder": str(options.folder), "id": card.id, **found})
    else:
        tell(
            f"{options.folder}: {card.id}, vectors as in torch to {card.largest_difference:.1e}, a picture"
            f" {card.times_as_fast:.1f} times as fast; use it with --encoder onnx:{options.folder}"
        )
    return 0


def _lines(models: Sequence[Model]) -> list[str]:
    """The models by kind as a table, the usable ones first."""
    from hippocam.models.weights import cache_root

    lines = [f"All of it is kept in {cache_root()}.", ""]
    wide = max((len(_short(model)) for model in models), default=0)
    for kind, title in _TITLES.items():
        lines.append(title)
        chosen = [model for model in models if model.kind == kind]
        for model in sorted(chosen, key=lambda model: not model.usable):
            size = f"{model.size_bytes / 1e6:,.0f} MB" if model.size_bytes else ""
            said = "; ".join(text for text in (model.licence, model.why) if text)
            line = f"  {'ready' if model.usable else '-':5}  {_short(model):{wide}}  {size:>8}  {said}"
            lines.append(line.rstrip())
            if fix := _fix(model):
                lines.append(f"{'':9}{'':{wide}}  {'':8}  -> {fix}")
        lines.append("")
    return lines[:-1]


def _fields(model: Model) -> dict[str, object]:
    fields = asdict(model) | {"fix": _fix(model), "where": list(model.where)}
    del fields["fetchable"]
    return fields


def _fix(model: Model) -> str:
    """Return what to do so that a model can be used; "" if it can be used already."""
    if model.name == "onnx:FOLDER":
        return "hippocam models export open_clip:MODEL/TAG FOLDER, or bring one"
    return f"hippocam models pull {model.name}" if model.fetchable else model.fix


def _short(model: Model) -> str:
    """Return the name; of our own exports without their folder, which stands in the first line."""
    from hippocam.models.weights import cache_root

    return model.name.replace(str(cache_root()), "...")
