"""Settings into configs: everything that can be set, from the defaults and a YAML file."""

from __future__ import annotations

import dataclasses
import difflib
import importlib.resources
import reprlib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from hippocam.apps.ask.deep import DeepConfig
from hippocam.apps.errors import SettingsError
from hippocam.memory.config import MIN_BUDGET_BYTES, MemoryConfig
from hippocam.models.readers.config import ReaderConfig
from hippocam.models.senses.config import SensesConfig
from hippocam.models.yaml_file import read_yaml
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.sources import SourceConfig

DEFAULT_ENCODER = "bundled"
C = TypeVar("C")
# How messages call the types of values.
_SAID: dict[object, str] = {
    bool: "true or false",
    int: "a whole number, in digits",
    float: "a number, in digits",
    str: "text, in quotes",
    type(None): "null",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, by the folder it belongs to.

    Attributes:
        sources: How video files are decoded.
        pipeline: Sampling, gate, pictures.
        memory: Budget, events, recall.
        reader: Who words answers, and what it is given.
        deep: When a source is looked at again for an answer.
        senses: What perceives beside the encoder: text in pictures, speech.
        encoder: What a new memory is made with: the name of an encoder, or "auto" for the best that is on this
            machine. A memory keeps its own.
    """

    sources: SourceConfig = field(default_factory=SourceConfig)
    pipeline: PipelineConfig = field(default_factory=PipelineConfig)
    memory: MemoryConfig = field(default_factory=MemoryConfig)
    reader: ReaderConfig = field(default_factory=ReaderConfig)
    deep: DeepConfig = field(default_factory=DeepConfig)
    senses: SensesConfig = field(default_factory=SensesConfig)
    encoder: str = DEFAULT_ENCODER

    def __post_init__(self) -> None:
        if not isinstance(self.encoder, str) or not self.encoder:
            raise ValueError(f"encoder must be the name of an encoder, or auto, found {self.encoder!r}")


def load_settings(name: str | None) -> Settings:
    """Read settings by the name of one that ships ("static-camera") or the path of a YAML file.

    The file names only what differs from the defaults.

    Raises:
        SettingsError: There is no such file, or a key or value in it is wrong.
    """
    if name is None:
        return Settings()
    shipped = importlib.resources.files("hippocam.configs")
    path = shipped / f"{name}.yaml" if Path(name).name == name and "." not in name else Path(name)
    if not path.is_file():
        known = sorted(p.name.removesuffix(".yaml") for p in shipped.iterdir() if p.name.endswith(".yaml"))
        raise SettingsError(f"settings {name}: no such file; give a path, or one of {', '.join(known)}")
    where = f"settings {name}"
    return build(Settings, read_settings_file(Path(str(path)), where) or {}, where=where)


def read_settings_file(path: Path, where: str) -> object:
    """Read a YAML file that people write.

    Args:
        path: The file.
        where: What it is called in messages.

    Raises:
        SettingsError: There is no such file, it cannot be read, or is no YAML.
    """
    try:
        return read_yaml(path)
    except OSError as error:
        raise SettingsError(f"{where}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SettingsError(f"{where}: {error}") from error


def budget_bytes(budget_mb: float) -> int:
    """What a memory's folder may take, from millions of bytes.

    Raises:
        ValueError: It is below the smallest there is, or absurd.
    """
    if not MIN_BUDGET_BYTES / 1e6 <= budget_mb <= 1e9:
        least = f"{MIN_BUDGET_BYTES / 1e6:g} MB or more"
        raise ValueError(f"budget must be {least} (and below 10^9), found {budget_mb:g} MB")
    return round(budget_mb * 1e6)


def _unlike(value: object, hint: object) -> str:
    """What a value of this type is, where the one that was found is of another; "" where it fits.

    YAML takes 1e9 and 0o17 for text, and yes for true.
    """
    allowed = set(typing.get_args(hint)) if typing.get_origin(hint) in (types.UnionType, typing.Union) else {hint}
    if not allowed <= set(_SAID):
        return ""  # one of several words: its own class names them
    fits = type(value) in allowed or (type(value) is int and float in allowed)
    return "" if fits else " or ".join(_SAID[kind] for kind in _SAID if kind in allowed)


def build(kind: type[C], values: object, *, where: str) -> C:
    """Make a config dataclass from a mapping, and its fields from the mappings inside.

    Raises:
        SettingsError: A key is unknown, or a value out of its range; the message names file and key.
    """
    if not isinstance(values, Mapping):
        raise SettingsError(f"{where}: expected keys and values, found {reprlib.repr(values)}")
    hints = typing.get_type_hints(kind)
    built: dict[str, Any] = {}
    for key, value in values.items():
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(hints)}."
            raise SettingsError(f"{where}: unknown key {key!r}. {hint}")
        inner = hints[key]
        if dataclasses.is_dataclass(inner):
            value = build(cast(type[Any], inner), value, where=f"{where}: {key}")
        elif wanted := _unlike(value, inner):
            raise SettingsError(f"{where}: {key} must be {wanted}, found {reprlib.repr(value)}")
        built[key] = value
    try:
        return kind(**built)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{where}: {error}") from error
