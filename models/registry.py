"""Names into encoders and readers. A new one is one line in a table; nothing is imported until it is chosen.

A name may carry an argument after a colon, which goes to the class: "open_clip:ViT-B-32/openai". An encoder
that is not in the table may come from another package, see `hippocam.models.plugins`.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from hippocam.models.errors import UnknownModelError
from hippocam.stream.protocols import Encoder

if TYPE_CHECKING:
    from hippocam.models.readers.config import ReaderConfig

ENCODERS: Mapping[str, str] = MappingProxyType(
    {
        "bundled": "hippocam.models.encoders.bundled.encoder:BundledEncoder",
        "conse": "hippocam.models.encoders.conse:ConseEncoder",
        "onnx": "hippocam.models.encoders.onnx_folder:OnnxFolderEncoder",
        "open_clip": "hippocam.models.encoders.open_clip.encoder:OpenClipEncoder",
        "palette": "hippocam.models.encoders.palette:PaletteEncoder",
    }
)
READERS: Mapping[str, str] = MappingProxyType(
    {
        "extractive": "hippocam.models.readers.extractive:ExtractiveReader",
        "gguf": "hippocam.models.readers.gguf:GgufReader",
        "openai": "hippocam.models.readers.openai:OpenAIReader",
        "transformers": "hippocam.models.readers.transformers:TransformersReader",
    }
)
_NEED_ARGUMENT: Mapping[str, str] = MappingProxyType(
    {
        "onnx": "onnx:/models/my-clip",
        "open_clip": "open_clip:MobileCLIP2-S0/dfndr2b",
        "transformers": "transformers:/models/SmolVLM-256M-Instruct",
    }
)
_MAY_ARGUMENT = frozenset({"bundled", "gguf", "openai"})
AUTO = "auto"


def make_encoder(name: str) -> Encoder:
    """Give an encoder by name; its weights are not read before it encodes.

    Args:
        name: A key of `ENCODERS` or the name of a plug-in, with its argument after a colon where it takes one.

    Raises:
        UnknownModelError: The name is not known, or its argument is missing or not wanted; or it is "auto", which
            `hippocam.models.inventory.concrete_name` turns into a name first.
        PluginError: The package that brings it is broken.
    """
    key, _, argument = name.partition(":")
    if key == AUTO:
        raise UnknownModelError("encoder 'auto' is chosen when a memory is made, and cannot be kept in one")
    if key not in ENCODERS:
        from hippocam.models.plugins import encoder_plugins

        plugins = encoder_plugins()
        if key in plugins:
            return plugins[key].load()(argument)
        raise _unknown("encoder", name, [*ENCODERS, *plugins])
    made, argument = _named("encoder", ENCODERS, name)
    return cast(Encoder, made(argument) if argument else made())


def settled_name(name: str) -> str:
    """Return an encoder's name as a memory keeps it: with absolute paths, so that it holds anywhere."""
    key, colon, argument = name.partition(":")
    if key in ("onnx", "bundled") and argument:
        return f"{key}:{Path(argument).expanduser().resolve()}"
    model, slash, weights = argument.partition("/")
    if key == "open_clip" and weights and Path(weights).is_file():
        return f"{key}{colon}{model}{slash}{Path(weights).resolve()}"
    return name


def make_reader(name: str, config: ReaderConfig | None = None) -> Any:
    """Give a reader by name; its weights are not read, and no server is asked, before it reads.

    Args:
        name: A key of `READERS`, with its argument after a colon where it takes one.
        config: How readers are set up.

    Raises:
        UnknownModelError: As for `make_encoder`.
        ReaderError: A setting that it needs is not given.
    """
    made, argument = _named("reader", READERS, name)
    if config is None:
        from hippocam.models.readers.config import ReaderConfig

        config = ReaderConfig()
    return made.from_config(argument, config)


def _named(kind: str, table: Mapping[str, str], name: str) -> tuple[Any, str]:
    """The class behind a name, and the argument that the name carries."""
    key, colon, argument = name.partition(":")
    if key not in table:
        raise _unknown(kind, name, list(table))
    if key in _NEED_ARGUMENT and not argument:
        raise UnknownModelError(f"{kind} {name!r} needs an argument, for example {_NEED_ARGUMENT[key]!r}")
    if key not in _NEED_ARGUMENT and key not in _MAY_ARGUMENT and colon:
        raise UnknownModelError(f"{kind} {key!r} takes no argument, found {argument!r} after the colon")
    module, _, attribute = table[key].partition(":")
    return getattr(importlib.import_module(module), attribute), argument


def _unknown(kind: str, name: str, known: Sequence[str]) -> UnknownModelError:
    near = difflib.get_close_matches(name.partition(":")[0], known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known))}."
    return UnknownModelError(f"{kind} {name!r} is not known. {hint}")
