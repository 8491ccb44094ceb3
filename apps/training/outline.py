"""What `hippocam train outline` learns from, and the files that it writes.

It learns from sentences about videos, of every second video, and from events of clips that the bench never shows.

Shapes: N vectors of dimension D.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hippocam.memory.codec import WORDS, Tables, tables_path
from hippocam.memory.stress import in_one
from hippocam.memory.training.outline import learn_tables, taught, write_tables
from hippocam.models.pictures import unit_rows
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray

# Seeds of the worlds whose events are learned from; the bench tests on others, and on other clips.
REAL = range(1000, 1006)
# One in this many of their events is taken: they are of few clips, and sentences differ more.
_EVENTS = 2
# The captions, as ActivityNet's files are named.
_CAPTIONS = ("val_1.json", "val_2.json")
# Sentences that are encoded together, of like length.
_BATCH = 512


def read_taught(folder: Path) -> list[str]:
    """Read the sentences that are learned from, each once, in order.

    Raises:
        HippocamError: A file is missing or holds something else.
    """
    found = set[str]()
    for file in (folder / name for name in _CAPTIONS):
        try:
            videos = json.loads(file.read_text(encoding="utf-8"))
            found |= {
                text.strip() for name, video in videos.items() if taught(name) for text in video["sentences"]
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise HippocamError(f"{file}: not captions as ActivityNet's are ({error})") from error
    return sorted(found)


def train_outline(
    captions: Path, *, videos: Path | None, out: Path, seed: int, command: str
) -> tuple[Tables, list[Path]]:
    """Learn the tables of outlines of the default encoder's vectors, and write them with their card.

    Args:
        captions: Folder with `val_1.json` and `val_2.json` of ActivityNet Captions.
        videos: Folder of clips and photographs; None for the one beside the project.
        out: Folder to write to.
        seed: Seed of the training.
        command: Command that trains the same again, for the card.

    Raises:
        HippocamError: Captions or clips are missing.
    """
    from hippocam.apps.worlds.footage import ENCODER, real
    from hippocam.apps.worlds.worlds import events_of

    encoder = make_encoder(ENCODER)
    told_ND = _encoded(read_taught(captions), encoder)
    events = [
        event
        for number in REAL
        for event in events_of(real(number, split="train", videos=videos, encoder=encoder))
    ]
    some = events[::_EVENTS]
    shown_ND = np.stack([in_one(event.key, event.scene, as_searched=True) for event in some])
    tables = learn_tables(np.concatenate([told_ND, shown_ND]), seed=seed)
    path = tables_path(encoder.spec.id, out)
    out.mkdir(parents=True, exist_ok=True)
    write_tables(path, tables)
    card = path.with_suffix(".md")
    text = _card(path, encoder.spec.id, tables, len(told_ND), len(shown_ND), command)
    card.write_text(text, encoding="utf-8")
    return tables, [path, card]


def _encoded(sentences: Sequence[str], encoder: Encoder) -> FloatArray:
    """Vectors of sentences, float32 [N, D], by their length."""
    ordered = sorted(sentences, key=len)
    batches = (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))
    return unit_rows(np.concatenate([encoder.encode_texts(batch) for batch in batches]))


def _card(path: Path, encoder_id: str, tables: Tables, sentences: int, events: int, command: str) -> str:
    (short, short_error), (count, error) = tables.errors.items()
    return f"""# {path.name}

Tables of the outlines of vectors of the encoder `{encoder_id}` (`memory/codec.py`): {count} of {WORDS} \
vectors of {tables.dim} numbers, int8, {path.stat().st_size / 1e6:.1f} MB. A vector of which the nearest sum is \
kept, one of each table, takes {count} bytes, and comes back with an error of {error:.3f} in its cosines with \
others (of what it was learned from); of the first {short} tables alone, {short} bytes and {short_error:.3f}.

**Data and terms.** {sentences:,} sentences of ActivityNet Captions' validation annotators (Krishna et al. \
2017), of every second video by its name, and vectors of {events:,} events of the clips that the bench never \
shows (seeds {REAL[0]} to {REAL[-1]} of `hippocam.apps.worlds.footage.real(seed, split='train')`, with \
photographs of Flickr8k: research, non-commercial). No vector, sentence or picture is in this file: only means of \
what sums of others leave of many vectors.

**Command**

    {command}

**Result.** `hippocam bench memory` and `bench lifelog --untaught` measure it; `ours-no-outline` is the memory \
without it, with signs in place of outlines. Outlines in memories name this very file by a number, so it never \
changes: another training makes another file. `outline-bundled-3.safetensors` and \
`sums-bundled-3.safetensors` are what older versions wrote with; nothing is written with them now.

**Limits.** Vectors of other kinds (documents, screens of text) lie elsewhere, and lose more.
"""
