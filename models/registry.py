"""Names into encoders and readers. A new one is one line in a table; nothing is imported until it is chosen.

A name may carry an argument after a colon, which goes to the class: "open_clip:ViT-B-32/openai".
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder

if TYPE_CHECKING:
    from hippocam.models.readers.config import ReaderConfig

ENCODERS: Mapping[str, str] = MappingProxyType(
    {
        "bundled": "hippocam.models.encoders.bundled:BundledEncoder",
        "conse": "hippocam.models.encoders.conse:ConseEncoder",
        "open_clip": "hippocam.models.encoders.open_clip:OpenClipEncoder",
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
    {"open_clip": "open_clip:ViT-B-32/openai", "transformers": "transformers:/models/SmolVLM-256M-Instruct"}
)
_MAY_ARGUMENT = frozenset({"gguf", "openai"})


class UnknownModelError(HippocamError):
    """No encoder or reader has this name."""


def make_encoder(name: str) -> Encoder:
    """Give an encoder by name; its weights are not read before it encodes.

    Args:
        name: A key of `ENCODERS`, with its argument after a colon where it takes one.

    Raises:
        UnknownModelError: The name is not known, or its argument is missing or not wanted.
    """
    made, argument = _named("encoder", ENCODERS, name)
    return cast(Encoder, made(argument) if argument else made())


def make_reader(name: str, config: ReaderConfig | None = None) -> Any:
    """Give a reader by name; its weights are not read, and no server is asked, before it reads.

    Args:
        name: A key of `READERS`, with its argument after a colon where it takes one.
        config: How readers are set up.

    Raises:
        UnknownModelError: As for `make_encoder`.
        ReaderError: Something that it cannot do without is not set.
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
        near = difflib.get_close_matches(key, table, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(table))}."
        raise UnknownModelError(f"{kind} {name!r} is not known. {hint}")
    if key in _NEED_ARGUMENT and not argument:
        raise UnknownModelError(f"{kind} {name!r} needs an argument, for example {_NEED_ARGUMENT[key]!r}")
    if key not in _NEED_ARGUMENT and key not in _MAY_ARGUMENT and colon:
        raise UnknownModelError(f"{kind} {key!r} takes no argument, found {argument!r} after the colon")
    module, _, attribute = table[key].partition(":")
    return getattr(importlib.import_module(module), attribute), argument
