"""Looking at the source again: what a second's frames missed is found at its true time, within a budget."""

import pytest

from hippocam.apps.ask.conversation import Conversation
from hippocam.apps.ask.deep import DeepConfig, look_again, thin
from hippocam.apps.session import Session
from hippocam.apps.settings import Settings
from hippocam.models.registry import make_encoder

FLASH_S = (4.4, 4.8)
ALL = DeepConfig(least=0.0, on=True)


@pytest.fixture
def session(tmp_path, colour_video):
    """A film of red with a flash of blue that lies between the frames of a second, then green."""
    colour_video(tmp_path / "film.mp4", [("red", FLASH_S[0]), ("blue", 0.4), ("red", 4.2), ("green", 6)])
    with Session(tmp_path / "m", encoder="palette", settings=Settings(deep=ALL)) as session:
        session.watch([tmp_path / "film.mp4"])
        yield session


def looked(session, text, config=ALL, **kwargs):
    encoder = make_encoder("palette")
    evidence = session.search(text)
    return look_again(
        evidence, encoder.encode_texts([text])[0], encoder, session.status().streams, config, compared=3, **kwargs
    )


def test_a_flash_between_the_frames_is_found_at_its_time(session):
    assert session.ask("something blue", deep=False).unknown
    answer = session.ask("something blue")
    assert not answer.unknown
    best = answer.evidence[0]
    assert FLASH_S[0] <= best.frame_s <= FLASH_S[1]
    assert best.t0_s <= best.frame_s <= best.t1_s
    assert answer.looked.stopped.startswith("enough")
    assert answer.looked.steps[0].fps == 2


def test_what_is_not_there_stays_unseen_and_the_path_is_told(session):
    found = looked(session, "something purple")
    assert found.evidence[0].score < 0.5
    assert found.stopped == "all candidates were looked at"
    assert [step.fps for step in found.steps[:3]] == [2, 4, 8]
    for step, closer in zip(found.steps, found.steps[1:], strict=False):
        if closer.fps > step.fps:
            assert step.t0_s <= closer.t0_s <= closer.t1_s <= step.t1_s


def test_nothing_later_than_the_time_of_asking_is_looked_at(session):
    found = looked(session, "something blue", at_s=4.2)
    assert found.steps
    assert all(step.t1_s <= 4.2 and step.best_s <= 4.2 for step in found.steps)
    assert found.evidence[0].score < 0.5


def test_the_budget_of_frames_and_of_time_holds(session):
    few = looked(session, "something purple", DeepConfig(least=0.0, frames=10))
    assert sum(step.frames for step in few.steps) <= 10
    assert few.stopped.startswith("the budget was spent: ")
    ticks = iter(range(0, 1000, 15))
    slow = looked(session, "something purple", ALL, clock=lambda: float(next(ticks)))
    assert len(slow.steps) == 1
    assert "budget" in slow.stopped


def test_a_source_that_is_gone_is_said_to_be(session, tmp_path):
    (tmp_path / "film.mp4").unlink()
    found = looked(session, "something blue")
    assert (found.steps, found.stopped) == ((), "no source of these moments can be read again")


def test_it_is_for_readers_that_see_unless_it_is_asked_for(session):
    (best, *_) = evidence = session.search("something red")
    weak = [type(best)(**{name: getattr(best, name) for name in best.__slots__ if name != "score"}, score=0.3)]
    assert thin(weak, DeepConfig(), sees=True)
    assert not thin(weak, DeepConfig(), sees=False)
    assert thin(weak, DeepConfig(on=True), sees=False)
    assert not thin(weak, DeepConfig(on=False), sees=True)
    assert not thin(evidence, DeepConfig(), sees=True)  # red is believed enough
    assert not thin([], DeepConfig(on=True), sees=True)


def test_a_conversation_goes_on_from_its_last_answer(session):
    talk = Conversation(session, deep=False)
    assert "0:09 to 0:15" in talk.ask("When was something green there?").answer
    before = talk.ask("And was something red there before that?")
    assert not before.unknown
    assert before.evidence[0].t1_s <= 9.01
    assert talk.ask("and how often?").answer.startswith("Perhaps once: ")
    assert "nothing matches" in talk.ask("Was something red there before a purple one?").answer


def test_what_happened_tells_what_there_was(session):
    answer = session.ask("What happened in the first 5 seconds?")
    assert not answer.unknown
    assert all(moment.t0_s < 5 for moment in answer.evidence)
    assert len(answer.sentences) == len(answer.evidence)
    assert "what happened: looked at all that there was" in str(answer.understood)
