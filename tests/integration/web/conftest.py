"""Gradio is imported before the tests of the page; the memory that its interfaces are asked about.

Warnings are errors here, and while one thread imports it, no other can rely on which warnings are let pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import gradio  # noqa: F401
import pytest

from hippocam.apps.session import Session


@pytest.fixture
def helpers(load_helpers: Callable[[str], ModuleType]) -> ModuleType:
    return load_helpers("integration/web/test_web.py")


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: ModuleType) -> Iterator[Session]:
    """A memory of one video, "colours": red, then green, then blue, 8 s each."""
    monkeypatch.setattr("hippocam.apps.folders.make_encoder", lambda name: helpers.ColourEncoder())
    with Session(tmp_path / "memory", encoder="colour") as made:
        made.watch([helpers.render_colours(tmp_path / "colours.mp4")])
        yield made
