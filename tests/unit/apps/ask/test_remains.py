"""What left the budget leaves a line behind, and an answer that finds nothing more says so."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hippocam.apps.session import Session
from hippocam.memory.asof.remains import remains
from hippocam.memory.config import MemoryConfig
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.stream.records import Embedding

_COLOURS = ((220, 30, 30), (40, 160, 60), (40, 80, 210), (245, 225, 40))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Fifty minutes of errands, of which all but 20 moments were given up, as a small budget would."""
    folder = tmp_path_factory.mktemp("remains") / "m"
    palette = make_encoder("palette")
    rng = np.random.default_rng(1)
    config = MemoryConfig(budget_bytes=1_000_000)
    with Memory.open_writer(folder, encoder="palette", spec=palette.spec, config=config) as memory:
        memory.begin("hall", uri="hall", fps=1.0)
        for k in range(150):
            colour = np.array(_COLOURS[k % 4]) + rng.integers(-20, 20, 3)
            image = np.full((32, 32, 3), colour.clip(0, 255), np.uint8)
            image[: int(rng.integers(4, 28))] = rng.integers(0, 255, 3)
            vector = palette.encode_images([image]).vectors_ND[0]
            memory.write(
                [
                    Embedding(
                        stream="hall", seq=2 * k + j, time_s=20.0 * k + j, vector=vector, jpeg=b"j" * 4000,
                        text=f"errand {k // 25}",
                    )
                    for j in range(2)
                ]
            )  # fmt: skip
        memory.finish("hall")
        while memory.store.entries.count() > 20:
            memory.longterm.held.give_up()
    return folder


@pytest.fixture(scope="module")
def gap(folder):
    """A stretch of time of which no entry is held."""
    with Memory.open_reader(folder) as memory:
        held = list(filter(None, map(memory.entry, memory.store.lookup.select(Filter()))))
    starts = sorted(span.t0_s for entry in held for span in entry.spans)
    before, after = max(pairwise([0.0, *starts, 3_000.0]), key=lambda pair: pair[1] - pair[0])
    assert after - before > 60
    return before + 12.0, after - 1.0


def test_a_time_without_moments_has_lines(folder, gap):
    with Memory.open_reader(folder) as memory:
        lines = list(remains(memory.store, Filter(after_s=gap[0], before_s=gap[1])))
        assert lines
        assert all(line.t0_s < gap[1] and line.t1_s > gap[0] for line in lines)
        assert any("errand" in word for line in lines for word in line.words)
        (first, *_) = memory.store.lookup.select(Filter())
        entry = memory.entry(first)
        assert list(remains(memory.store, Filter(after_s=entry.t0_s - 1, before_s=entry.t1_s + 1))) == []
        assert list(remains(memory.store, Filter(after_s=1e6, before_s=2e6))) == []


def test_an_answer_says_that_it_only_knows_so_much(folder, gap):
    clock = [f"{int(time_s) // 3600}:{int(time_s) // 60 % 60:02}:{int(time_s) % 60:02}" for time_s in gap]
    with Session(folder) as session:
        answer = session.ask(f"Was there a zebra between {clock[0]} and {clock[1]}?")
        assert answer.unknown
        assert "I only know that" in answer.answer
        assert "the moments themselves were given up for room." in answer.answer
        assert "I only know" not in session.ask("Was there a zebra?").answer
