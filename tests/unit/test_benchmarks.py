"""BENCHMARKS.md and docs/benchmarks: every section says what it was measured with, and that is what ships."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hippocam.apps import settings
from hippocam.apps.worlds.worlds import SYNTHETIC
from hippocam.models.registry import make_encoder

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "benchmarks"
LINES = ("Encoder", "Measured", "Machine", "Command")
# Where vectors of real footage go into memories: with another encoder these figures say nothing of the product.
OF_MEMORY = ("memory-real.md", "sleep.md")
OF_ENCODERS = ("moments.md", "perception.md", "questions.md", "ingest.md")


def shipped() -> str:
    """Id of the default encoder."""
    return make_encoder(settings.DEFAULT_ENCODER).spec.id


def sections(page: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The title of each section, and what its first four lines say."""
    for part in re.split(r"^## ", page.read_text(), flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        yield title, dict(re.findall(r"^- (\w+): (.+)$", body, flags=re.MULTILINE)[: len(LINES)])


def encoders(said: dict[str, str]) -> set[str]:
    return set(said["Encoder"].split(", "))


def stale() -> list[str]:
    """Figures on memory that were measured with an encoder that does not ship."""
    found = [
        f"{name}, {title}: {said['Encoder']}"
        for name in OF_MEMORY
        for title, said in sections(PAGES / name)
        if encoders(said) - {SYNTHETIC} != {shipped()}
    ]
    return found + [f"BENCHMARKS.md: {name}" for name in on_top() if name != shipped()]


def on_top() -> set[str]:
    """Encoders that the table on top is about: by its own line, and in its cells."""
    text = (ROOT / "BENCHMARKS.md").read_text()
    rows = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    said = re.findall(r"^- Encoder: (.+)$", text, flags=re.MULTILINE)
    assert len(said) == 1
    return {said[0], *re.findall(r"\b[\w-]+:\d+\b", rows)}


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_every_section_says_what_it_was_measured_with(page: Path) -> None:
    found = dict(sections(page))
    assert found
    for title, said in found.items():
        assert tuple(said) == LINES, title
        assert re.match(r"\d{4}-\d\d-\d\d, .*(commit \w{7}|hippocam \d)", said["Measured"]), title
        assert re.match(r"`hippocam (bench|robot) ", said["Command"]), title


def test_figures_on_memory_are_of_the_encoder_that_ships() -> None:
    assert stale() == []


def test_another_default_encoder_cannot_land_with_these_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DEFAULT_ENCODER", "palette")
    assert len(stale()) >= len(OF_MEMORY) + 1


@pytest.mark.parametrize("name", OF_ENCODERS)
def test_the_encoder_that_ships_was_measured(name: str) -> None:
    assert shipped() in set().union(*(encoders(said) for _, said in sections(PAGES / name)))
