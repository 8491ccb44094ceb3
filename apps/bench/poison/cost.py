"""What the defence costs where nobody attacks: what is right with plain recall, and what is with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hippocam.apps.bench.poison.footage import Asked, Footage, found_in, shows
from hippocam.apps.bench.poison.results import Cost
from hippocam.apps.bench.poison.tools import TOP, Asker, Product
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.store.notes import row_of
from hippocam.models.readers.extractive import ExtractiveReader
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.stream.records import Note


def costs_of(clean: Footage, product: Product, work: Path) -> list[Cost]:
    """Measure what the defence costs.

    Args:
        clean: A memory in which nobody has planted anything.
        product: Asks, exports and imports.
        work: Folder for copies of it.
    """
    with product.opened(clean.memory) as both:
        costs = [
            _cost("what is shown: among the first five", clean.shown, both, _in_five),
            _cost("what is shown: first", clean.shown, both, _first),
            _cost("what is shown: first, and believed", clean.shown, both, _believed),
            _cost("what is shown nowhere: said so", clean.absent, both, _unknown),
        ]
    said = _with_words(clean, product, work / "said")
    with product.opened(said) as both:
        costs.append(_cost("what the screen says: answered", [*clean.shown, *clean.absent], both, _words_told))
    mixed, imported = _half_imported(clean, product, work / "mixed")
    asked = [one for one in clean.shown if one.stream in imported]
    with product.opened(mixed) as both:
        costs.append(_cost("shown in an honest import: among the first five", asked, both, _in_five))
        costs.append(_cost("shown in an honest import: first, and believed", asked, both, _believed))
    return costs


def _cost(
    what: str, asked: Sequence[Asked], both: tuple[Asker, Asker], right: Callable[[Asker, Asked], bool]
) -> Cost:
    before, after = (float(np.mean([right(asker, one) for one in asked])) if asked else 1.0 for asker in both)
    return Cost(what=what, tries=len(asked), before=before, after=after)


def _in_five(asker: Asker, asked: Asked) -> bool:
    return found_in(asker.search(asked.text, TOP), asked)


def _first(asker: Asker, asked: Asked) -> bool:
    return found_in(asker.search(asked.text, TOP)[:1], asked)


def _believed(asker: Asker, asked: Asked) -> bool:
    first, *_ = asker.search(asked.text, TOP)
    return shows(first, asked) and first.score >= SEEN_FROM


def _unknown(asker: Asker, asked: Asked) -> bool:
    return asker.ask(f"When is there {asked.text}?", ExtractiveReader()).unknown


def _words_told(asker: Asker, asked: Asked) -> bool:
    """Whether a question for words is answered by the note that holds them."""
    answer = asker.ask(f"When does the screen say '{asked.text}'?", ExtractiveReader())
    cited = [moment for moment in answer.evidence if moment.id in answer.cited]
    return not answer.unknown and any(note.text == asked.text for moment in cited for note in moment.notes)


def _with_words(clean: Footage, product: Product, folder: Path) -> Path:
    """A copy of a memory in whose streams every question's words were read on screen, each at its own time."""
    shutil.copytree(clean.memory, folder)
    with Memory.open_writer(folder, encoder=product.name, spec=product.encoder.spec) as memory:
        streams = memory.streams()
        asked = [*clean.shown, *clean.absent]
        for k, one in enumerate(asked):
            stream = streams[k % len(streams)]
            t0_s = stream.duration_s * (k + 1) / (len(asked) + 2)
            note = Note(stream=stream.id, kind="screen", t0_s=t0_s, t1_s=t0_s + 2, text=one.text)
            memory.longterm.intake.keep_notes([row_of(note)])
    return folder


def _half_imported(clean: Footage, product: Product, folder: Path) -> tuple[Path, set[str]]:
    """A copy of a memory that got every other stream from an export of itself, and the names of these streams."""
    shutil.copytree(clean.memory, folder)
    with Memory.open_writer(folder, encoder=product.name, spec=product.encoder.spec) as memory:
        imported = [status.id for status in memory.streams()][1::2]
        for stream in imported:
            memory.forget(Filter(stream=stream))
    for stream in imported:
        product.moved(clean.memory, folder, stream=stream)
    return folder, set(imported)
