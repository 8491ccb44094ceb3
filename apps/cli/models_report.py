"""What `hippocam models` prints: the models by kind, the usable ones first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from hippocam.models.inventory import Model
from hippocam.models.weights import cache_root

_TITLES = {"encoder": "Encoders (--encoder)", "reader": "Readers (--reader)", "weights": "Files of weights"}


def models_lines(models: Sequence[Model]) -> list[str]:
    """Give the lines of a table for people."""
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


def models_json(models: Sequence[Model]) -> dict[str, object]:
    """Give the same as one JSON object."""
    return {"models": [_fields(model) for model in models]}


def _fields(model: Model) -> dict[str, object]:
    fields = asdict(model) | {"fix": _fix(model), "where": list(model.where)}
    del fields["fetchable"]
    return fields


def _fix(model: Model) -> str:
    """What to do or type so that a model can be used; "" where it can."""
    if model.name == "onnx:FOLDER":
        return "hippocam models export open_clip:MODEL/TAG FOLDER, or bring one"
    return f"hippocam models pull {model.name}" if model.fetchable else model.fix


def _short(model: Model) -> str:
    """The name; of an export of ours without the way to it, which the first line and --json give."""
    return model.name.replace(str(cache_root()), "...")
