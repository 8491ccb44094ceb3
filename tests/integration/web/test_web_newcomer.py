"""A newcomer with a folder of videos, who has read nothing: adds the folder, asks, looks at the proof.

The server is the command itself, with the encoder and the detector that ship. Every step ends with what it waits
for; `pytest -s` prints when each was reached.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hippocam.models.errors import WeightsError
from hippocam.models.weights import fetch

_LONG_MS = 600_000
HIPPOCAM = Path(sys.executable).parent / "hippocam"
# Of real footage that may be looked at: what was added, what was asked, and when it was so by eye.
CLIPS = ("cctv/driveway_prius_60s.mov", "cctv/intel_one_by_one_person_detection.mp4")
QUESTION, STREAM, TRUTH_S = "when does a car drive by?", "driveway_prius_60s", (6.0, 29.5)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """`hippocam web` over a memory that is not there yet."""
    try:
        for name in ("efficientnet-lite2", "minilm", "dinov2"):
            fetch(name)
    except WeightsError as error:
        pytest.skip(f"the default encoder's networks cannot be fetched here: {error}")
    command = [str(HIPPOCAM), "web", "--memory", str(tmp_path / "memory"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[1]
        process.terminate()
        process.wait(600)


def test_a_folder_of_videos_gives_a_right_answer_with_its_proof(
    tmp_path: Path, shared_data: Path, served: str, visit: Callable[[str], Any]
) -> None:
    folder, began_s = tmp_path / "holiday", time.monotonic()
    folder.mkdir()
    for clip in CLIPS:
        shutil.copy(shared_data / "video" / clip, folder)

    def reached(what: str) -> None:
        print(f"{time.monotonic() - began_s:6.1f} s  {what}")

    page = visit(served)
    with page.expect_file_chooser():  # for files: it is closed without one
        page.click(".empty button:has-text('Add videos')")
    with page.expect_file_chooser() as chooser:
        page.click(".library .empty button:has-text('Add a folder')")
    chooser.value.set_files(str(folder))
    reached("the folder is chosen")
    page.wait_for_selector(".tile", timeout=_LONG_MS)
    reached("its first moments are shown")
    page.wait_for_function(
        "name => window.hippocam.held.streams.some((one) => one.id === name && one.complete)",
        arg=STREAM,
        timeout=_LONG_MS,
    )
    reached("the video that is asked about is watched")
    page.click(".rail-link[title='Ask']")
    page.wait_for_selector(".suggestion", timeout=_LONG_MS)
    page.locator(".ask-box").press_sequentially(QUESTION, delay=150)  # as people type
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn .verdict", timeout=_LONG_MS)
    reached(f"answered: {page.inner_text('.answer .verdict')}, {page.inner_text('.answer .text')}")
    assert page.inner_text(".answer .verdict") in ("Clear", "Likely", "Perhaps")
    page.click(".cite >> nth=0")
    page.wait_for_function("!window.hippocam.player.video.paused", timeout=_LONG_MS)
    moment = page.evaluate("window.hippocam.player.moment")
    reached("its proof is played")
    assert moment["stream"] == STREAM
    assert min(moment["t1_s"], TRUTH_S[1]) > max(moment["t0_s"], TRUTH_S[0])
