"""An hour that is full of words and things, summarised: what any model is given fits in 6,000 tokens."""

import cv2
import numpy as np
import pytest

from hippocam.apps.session import Session
from hippocam.memory.memory import Memory
from hippocam.models.errors import ReaderError
from hippocam.models.readers.context import Context, ContextConfig, estimated_tokens
from hippocam.models.readers.prompt import messages
from hippocam.models.registry import make_encoder
from hippocam.stream.records import Embedding, Note, Sensed, Thing

MOST = 6_000
HOUR_S, STEP_S, EVENT_S = 3600, 6, 12
SPEECH = "and so we move the {} beside the window before it rains and nobody can say where it was left " * 3


class Model:
    """A reader that keeps what it was given, and fails, so that the extractive one answers."""

    id = "model"
    budget = ContextConfig()

    def __init__(self) -> None:
        self.given: list[Context] = []

    def read(self, context, on_token=None):
        self.given.append(context)
        raise ReaderError("it only counts")


def picture(event):
    """A colour that the event before does not have."""
    hsv = np.full((45, 80, 3), ((event * 67) % 180, 90 + (event * 41) % 160, 120 + (event * 29) % 130), np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


@pytest.fixture(scope="module")
def hour(tmp_path_factory):
    """A camera whose view changes every 12 s; somebody speaks all the time, and a screen is full of lines."""
    folder = tmp_path_factory.mktemp("hour") / "m"
    palette, rng = make_encoder("palette"), np.random.default_rng(0)
    with Memory.open_writer(folder, encoder="palette", spec=palette.spec) as memory:
        memory.begin("cam", uri="cam", fps=1 / STEP_S)
        for seq, time_s in enumerate(range(0, HOUR_S, STEP_S)):
            event = time_s // EVENT_S
            image = picture(event)
            look = np.eye(16, dtype=np.float32)[event % 16]
            person = Thing(
                label="person", score=0.9, box=(0.3, 0.2, 0.6, 0.9), vector=look, colours=("red", "blue")
            )
            vector = palette.encode_images([image]).vectors_ND[0]
            items: list[Embedding | Note] = [
                Embedding(
                    stream="cam", seq=seq, time_s=float(time_s), vector=vector,
                    jpeg=cv2.imencode(".jpg", image[..., ::-1])[1].tobytes(),
                    sensed=Sensed(things=(person,) if event % 3 else ()),
                )
            ]  # fmt: skip
            if time_s % 18 == 0:
                said = SPEECH.format(*(f"box{rng.integers(1000)}" for _ in range(3)))
                items.append(Note(stream="cam", kind="speech", t0_s=float(time_s), t1_s=time_s + 17.0, text=said))
                items += [
                    Note(stream="cam", kind="screen", t0_s=float(time_s), t1_s=time_s + 17.0, line=line,
                         text=f"row {rng.integers(10_000)} of the table that is on the screen")
                    for line in range(12)
                ]  # fmt: skip
            memory.write(items)
        memory.finish("cam")
    with Session(folder) as session:
        assert sum(stream.entries for stream in session.status().streams) > 100
        yield session


@pytest.mark.parametrize(
    "question",
    [
        "Summarise the last hour.",
        "Summarise the video.",
        "What happened?",
        "What happened between 0:00 and 59:00?",
    ],
)
def test_a_summary_of_an_hour_fits_in_six_thousand_tokens(hour, question):
    model = Model()
    hour.ask(question, reader=model)
    (given,) = model.given
    fitting = given.fitted(tokens, model.budget.tokens)
    assert tokens(fitting) <= MOST
    assert len(fitting.shown) >= 6
    assert fitting.records == given.records
    assert any(text.startswith("On screen: ") for text in fitting.records)


def tokens(context):
    text = "".join(turn.text for turn in messages(context))
    return estimated_tokens(text, context.pictures, Model.budget)
