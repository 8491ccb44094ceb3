"""Which models exist, which of them can be used now, what the others need, and which encoder is best here.

Nothing is fetched and nothing heavy is imported to find out.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from hippocam.models.errors import PluginError, UnknownModelError
from hippocam.models.plugins import encoder_plugins
from hippocam.models.registry import ENCODERS, READERS
from hippocam.models.weights import WEIGHTS, cached_path, fetch

Kind = Literal["encoder", "reader", "weights"]
FALLBACK = "bundled"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """A model of open_clip that is documented here, best first.

    Attributes:
        name: By which it is chosen.
        repository: Its repository on the hub.
        size_bytes: Size of its weights.
        licence: As upstream states it.
        note: What speaks for it.
    """

    name: str
    repository: str
    size_bytes: int
    licence: str
    note: str


HUB_MODELS = (
    HubModel(
        name="open_clip:MobileCLIP2-S0/dfndr2b",
        repository="timm/MobileCLIP2-S0-OpenCLIP",
        size_bytes=299_663_092,
        licence="apple-amlr (research only)",
        note="quickest on a CPU",
    ),
    HubModel(
        name="open_clip:ViT-B-32/laion2b_s34b_b79k",
        repository="laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        size_bytes=605_143_284,
        licence="MIT",
        note="free for any use",
    ),
)
_BUNDLED = ("dinov2", "efficientnet-lite2", "minilm", "minilm-tokenizer")
NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(  # weights of encoders and readers that packages ship
    {
        "bundled": _BUNDLED,
        "conse": ("efficientnet-lite2", "minilm", "minilm-tokenizer"),
        "gguf": ("smollm2",),
        "gguf:qwen2.5-coder-1.5b": ("qwen2.5-coder-1.5b",),
    }
)


_TERMS: Mapping[str, str] = MappingProxyType({"bundled": "its head: Flickr8k's, research only"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What is known of a model: whether it can be used now, and what it takes.

    Attributes:
        kind: What it is.
        name: By which it is chosen or pulled.
        usable: Whether it can be used now, without fetching anything.
        why: What keeps it from that; or what is worth knowing, where it is usable.
        fix: What to do about it; "" where it is usable, and where it need only be fetched.
        fetchable: Whether fetching it is all that is missing.
        size_bytes: Size of its weights on this disk, or of what would be fetched; 0 for none.
        licence: Licence of its weights; "" where it has none, or only its maker knows.
        where: Its files, or where they would be.
    """

    kind: Kind
    name: str
    usable: bool
    why: str = ""
    fix: str = ""
    fetchable: bool = False
    size_bytes: int = 0
    licence: str = ""
    where: tuple[str, ...] = ()


class Choice(NamedTuple):
    """The encoder that "auto" stands for here, and why it is that one."""

    name: str
    reason: str


def inventory() -> list[Model]:
    """Give every encoder, reader and file of weights."""
    return [*_encoders(), *_readers(), *map(_weights, sorted(WEIGHTS))]


def best_encoder() -> Choice:
    """Choose an encoder: a CLIP whose weights are on this disk already, else the bundled one.

    Documented models come first, in their order, then others that were exported here, by name. Nothing is fetched
    from a hub for it. Models that were made from a file are left out: their names hold only where that file lies.
    """
    from hippocam.models.encoders.open_clip.export import exports

    for model in HUB_MODELS:
        if _export_of(model.name) is not None:
            return Choice(model.name, "its export is on this disk")
        if _on_disk(model) and _has("open_clip"):
            return Choice(model.name, "its weights are on this disk")
    for _, card in exports():
        if card.source and "/sha256-" not in card.source:
            return Choice(f"open_clip:{card.source}", "its export is on this disk")
    return Choice(FALLBACK, "no CLIP is on this disk")


def pull(name: str) -> list[Path]:
    """Fetch what a model needs, and give the files.

    Args:
        name: Name of a file of weights, an encoder or a reader.

    Raises:
        UnknownModelError: There is nothing of this name to fetch.
        WeightsError: It cannot be fetched; the message says what to do.
    """
    if name in WEIGHTS:
        return [fetch(name)]
    if name in NEEDS:
        return [fetch(part) for part in NEEDS[name]]
    kind, _, argument = name.partition(":")
    if kind == "open_clip" and argument:
        from hippocam.models.encoders.onnx_folder import OnnxFolderEncoder
        from hippocam.models.encoders.open_clip.encoder import OpenClipEncoder

        ready = OpenClipEncoder(argument).prepare()
        return [ready.folder] if isinstance(ready, OnnxFolderEncoder) else []
    known = ", ".join([*NEEDS, *sorted(WEIGHTS), *(model.name for model in HUB_MODELS)])
    raise UnknownModelError(f"there is nothing to pull for {name!r}; there are {known}, and open_clip:MODEL/TAG")


def needed() -> tuple[str, ...]:
    """The weights that watching uses here: those of the encoder that every install has, and of all senses."""
    from hippocam.models.senses.ocr import Ocr
    from hippocam.models.senses.speech import Speech
    from hippocam.models.senses.things import ThingsSense

    heard = Speech.weights if importlib.util.find_spec("faster_whisper") else ()
    return (*NEEDS[FALLBACK], *ThingsSense.weights, *Ocr.weights, *heard)


# lines -------------------------------------------------------------------------------------------------------


def _encoders() -> Iterator[Model]:
    for name in sorted(ENCODERS):
        if name == "open_clip":
            yield from _clips()
        elif name == "onnx":
            yield Model(
                kind="encoder",
                name="onnx:FOLDER",
                usable=False,
                why="needs a folder of exported networks",
                fix="bring one, or export a model of open_clip into one",
            )
        else:
            yield _shipped("encoder", name)
    for name, plugin in encoder_plugins().items():
        if name in ENCODERS:
            why, fix = f"of {plugin.package}; the name is taken", "ask its makers for another name"
            yield Model(kind="encoder", name=name, usable=False, why=why, fix=fix)
            continue
        try:
            plugin.load()
        except PluginError as error:
            yield Model(kind="encoder", name=name, usable=False, why=str(error), fix=f"mend {plugin.package}")
        else:
            yield Model(kind="encoder", name=name, usable=True, why=f"of {plugin.package}")


def _clips() -> Iterator[Model]:
    from hippocam.models.encoders.open_clip.export import exports

    for model in HUB_MODELS:
        export = _export_of(model.name)
        where = [str(path) for path in (export, *_hub_files(model)) if path is not None]
        here = export is not None or (_on_disk(model) and _has("open_clip"))
        why, fix = model.note, ""
        if not here and not _has("open_clip"):
            why, fix = "open_clip is not installed", "pip install 'hippocam[clip]'"
        elif not here:
            why = "its weights are not on this disk"
        yield Model(
            kind="encoder",
            name=model.name,
            usable=here,
            why=why,
            fix=fix,
            fetchable=not here and not fix,
            size_bytes=_size(export) if export is not None else model.size_bytes,
            licence=model.licence,
            where=tuple(where),
        )
    documented = {model.name for model in HUB_MODELS}
    for folder, card in exports():
        if (name := f"open_clip:{card.source}") not in documented:
            of_file = "/sha256-" in name
            yield Model(
                kind="encoder",
                name=f"onnx:{folder}" if of_file else name,
                usable=True,
                why=f"exported from a file of weights for {card.source.partition('/')[0]}"
                if of_file
                else "exported",
                size_bytes=_size(folder),
                licence=card.licence,
                where=(str(folder),),
            )


def _readers() -> Iterator[Model]:
    for name in sorted(READERS):
        if name == "openai":
            unset = [key for key in ("OPENAI_BASE_URL", "HIPPOCAM_READER_MODEL") if not os.environ.get(key)]
            yield Model(
                kind="reader",
                name=name,
                usable=not unset,
                why=f"{' and '.join(unset)} not set" if unset else os.environ["OPENAI_BASE_URL"],
                fix="set them, or reader.openai in a settings file" if unset else "",
            )
        elif name == "transformers":
            missing = [module for module in ("transformers", "torchvision", "PIL") if not _has(module)]
            yield Model(
                kind="reader",
                name="transformers:PATH",
                usable=False,
                why=f"{' and '.join(missing)} not installed"
                if missing
                else "needs the folder or hub id of a model",
                fix="pip install 'hippocam[vlm]'" if missing else "name one, as transformers:/models/SmolVLM",
            )
        elif name == "gguf":
            yield from map(_gguf, (need for need in NEEDS if need.startswith("gguf")))
        else:
            yield _shipped("reader", name)


def _gguf(name: str) -> Model:
    line = _shipped("reader", name)
    if _has("llama_cpp"):
        return line
    why, fix = "llama-cpp-python is not installed", "pip install 'hippocam[gguf]'"
    return replace(line, usable=False, why=why, fix=fix, fetchable=False)


def _shipped(kind: Kind, name: str) -> Model:
    """A model whose weights, if it has any, come from packages."""
    parts = NEEDS.get(name, ())
    away = [part for part in parts if not cached_path(part).is_file()]
    return Model(
        kind=kind,
        name=name,
        usable=not away,
        why=f"{', '.join(away)} not fetched (done on first use)" if away else "",
        fetchable=bool(away),
        size_bytes=sum(WEIGHTS[part].size_bytes for part in parts),
        licence=", ".join(
            [*_distinct(WEIGHTS[part].licence for part in parts), *filter(None, [_TERMS.get(name)])]
        ),
        where=tuple(str(cached_path(part)) for part in parts),
    )


def _weights(name: str) -> Model:
    entry, path = WEIGHTS[name], cached_path(name)
    here = path.is_file()
    return Model(
        kind="weights",
        name=name,
        usable=here,
        why=entry.upstream if here else f"not fetched ({round(entry.download_bytes / 1e6)} MB from PyPI)",
        fetchable=not here,
        size_bytes=entry.size_bytes,
        licence=entry.licence,
        where=(str(path),),
    )


# parts -------------------------------------------------------------------------------------------------------


def _export_of(name: str) -> Path | None:
    from hippocam.models.encoders.open_clip.export import find_export

    return find_export(name.partition(":")[2])


def _on_disk(model: HubModel) -> bool:
    return bool(_hub_files(model))


def _hub_files(model: HubModel) -> list[Path]:
    """The files of weights of a model in the cache of Hugging Face's hub."""
    if not _has("huggingface_hub"):
        return []
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{model.repository.replace('/', '--')}" / "snapshots"
    kinds = (".safetensors", ".bin", ".pt")
    return sorted(path for path in folder.glob("*/open_clip*") if path.suffix in kinds and path.exists())


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
