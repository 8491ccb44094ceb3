"""Watch a video into a memory and ask about it.

python -m examples.library                              a clip that is drawn, and questions about its colours
python -m examples.library VIDEO QUESTION [QUESTION ...]     a video and questions of your own
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.clip import draw
from hippocam import Session


def main(arguments: list[str]) -> None:
    """Watch, then ask."""
    with TemporaryDirectory() as folder:
        if arguments:
            video, questions, encoder = Path(arguments[0]), arguments[1:], None  # None: the default
        else:
            video, encoder = Path(folder, "colours.mp4"), "palette"
            questions = ["When is something red?", "Was there anything purple?"]
            draw(video, ["blue", "red", "green"], seconds_each=8)
        with Session(Path(folder, "memory"), encoder=encoder) as session:
            report = session.watch([video], budget_mb=10)
            print(f"{report.streams[0].events} events in {report.memory_bytes / 1e6:.1f} MB")
            for question in questions:
                answer = session.ask(question)
                print(f"{question} {answer.answer}")
                for moment in answer.evidence:
                    if moment.score >= 0.5:
                        print(f"  {moment.stream} {moment.t0_s:g} to {moment.t1_s:g} s, belief {moment.score:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
