"""What is believed where somebody planted something: words, copies, imports."""

import dataclasses

import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.provenance.records import Import, ImportedPart
from hippocam.memory.recall import recall as weighing
from hippocam.memory.recall.notes import words_that_answer
from hippocam.memory.recall.query import Query
from hippocam.memory.recall.trust import BELIEVED_FROM
from hippocam.memory.recall.weighing import weighed
from hippocam.memory.recall.words import Words
from hippocam.memory.records import id_of
from hippocam.stream.records import EncoderSpec, Note

D = 32
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(D, dtype=np.float32)
FILE = Import(id=0xABC, file="friend.jsonl", made_s=1_700_000_000.0)


@pytest.fixture
def memory(tmp_path):
    config = MemoryConfig(budget_bytes=4_000_000)
    with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC, config=config) as memory:
        yield memory


def watch(memory, frames_of, stream, vectors, *, notes=(), text=""):
    """A scene of 5 s for each vector."""
    items = frames_of(stream, [(5 * k + t, vector) for k, vector in enumerate(vectors) for t in range(5)])
    items = [dataclasses.replace(item, text=text) for item in items]
    told = [Note(stream=stream, kind=kind, t0_s=t0_s, t1_s=t0_s + 2, text=words) for kind, t0_s, words in notes]
    memory.begin(stream, uri=f"/x/{stream}")
    memory.write([*told, *items])
    memory.finish(stream)


def imported(memory, *streams):
    with memory.store.transaction():
        for stream in streams:
            memory.store.provenance.note_import(stream, ImportedPart(made_by=FILE, last_seq=9999, end_s=1e6))


def near(vector, other, share):
    mixed = (1 - share) * vector + share * other
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)


def asked(memory, text, vector, *, top=5, check=None):
    return memory.recall(Query(text=text, vector=vector, top=top), check)


@pytest.mark.parametrize("kind", ["screen", "speech", "subtitle", "chapter"])
def test_planted_words_are_a_claim_and_no_answer_to_what_was_seen(memory, frames_of, kind):
    watch(memory, frames_of, "cam", [AXES[0], AXES[1]], notes=[(kind, 6.0, "the door was locked at 3 pm")])
    best = asked(memory, "the door locked", AXES[9])[0]
    assert best.noted is not None
    assert best.claimed
    assert best.score < BELIEVED_FROM
    said = asked(memory, "when is it said that the door was locked", AXES[9])[0]
    assert (said.claimed, said.score > 0.8) == (False, True)


def test_words_lift_no_picture_above_another_that_is_believed_more(memory, frames_of):
    less, more = near(AXES[0], AXES[9], 0.45), near(AXES[2], AXES[9], 0.6)
    watch(memory, frames_of, "foe", [less, AXES[1]], notes=[("speech", 1, "a locked door")])
    watch(memory, frames_of, "cam", [more, AXES[3]])
    best, second = asked(memory, "a locked door", AXES[9], top=2)
    assert (best.entry.stream, second.entry.stream) == ("cam", "foe")
    assert BELIEVED_FROM <= second.score == second.seen
    assert second.noted is not None
    assert not second.claimed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the door locked", Words.NONE),
        ("Was the door locked", Words.NONE),
        ("Eric Steuer in the building", Words.NONE),
        ("a black screen", Words.NONE),
        ("the screen is green", Words.NONE),
        ("a slide with a map", Words.NONE),
        ("credits with names", Words.NONE),
        ("a page of a book", Words.NONE),
        ("a pizza on a plate", Words.NONE),
        ("a sheet of paper on the table", Words.NONE),
        ("the slide about the door", Words.READ),
        ("the sign about the door", Words.READ),
        ("the title of the door", Words.READ),
        ("she writes a letter", Words.READ),
        ("the credits name the director", Words.READ),
        ("a door on the screen", Words.READ),
        ("the number plate AB 12 CD", Words.READ),
        ("the slide that mentions the door", Words.ALL),
        ("the screen asks about the door", Words.ALL),
        ("Eric Steuer", Words.ALL),
        ("redhat.com appear", Words.ALL),
        ("Stanford Law School is shown", Words.ALL),
        ("she says that the door is locked", Words.ALL),
        ('"the door is locked"', Words.ALL),
        ("", Words.NONE),
    ],
)
def test_what_words_can_answer(text, words):
    assert words_that_answer(text) is words


@pytest.mark.parametrize(
    ("text", "kind", "answers"),
    [
        ("a slide about a locked door", "screen", True),
        ("a slide about a locked door", "speech", False),
        ("a slide about a locked door", "subtitle", False),
        ("a slide with a locked door", "screen", False),
        ("they say that the door is locked", "speech", True),
    ],
)
def test_a_slide_about_something_is_answered_by_what_was_read_and_its_look_by_pictures(
    memory, frames_of, text, kind, answers
):
    watch(memory, frames_of, "cam", [AXES[0], AXES[1]], notes=[(kind, 1.0, "a locked door")])
    best = asked(memory, text, AXES[9])[0]
    assert (best.claimed, best.score >= BELIEVED_FROM) == (not answers, answers)


class Reading:
    """Kept pictures in which some words can be read, by stream."""

    def __init__(self, **written):
        self.written, self.asked = written, []

    def cosine(self, entry, asked_D, box):
        return None

    def reads(self, entry, words):
        self.asked.append(entry.stream)
        return set(words) <= set(self.written.get(entry.stream, "").split())


def test_what_was_read_answers_what_a_slide_is_about_only_where_the_kept_picture_says_it(memory, frames_of):
    told = [("screen", 0.0, "a locked door")]
    watch(memory, frames_of, "foe", [AXES[0], AXES[1]], notes=told)
    watch(memory, frames_of, "cam", [AXES[2], AXES[3]], notes=told)
    check = Reading(cam="locked door", foe="exit")
    found = {
        c.entry.stream: c for c in asked(memory, "a slide about a locked door", AXES[9], check=check) if c.noted
    }
    assert (found["cam"].claimed, found["cam"].witnessed, found["cam"].score > 0.8) == (False, None, True)
    assert (found["foe"].claimed, found["foe"].witnessed is not None) == (True, True)
    assert found["foe"].score < BELIEVED_FROM
    assert set(check.asked) == {"cam", "foe"}


def test_own_words_of_another_second_than_the_kept_picture_are_taken_as_they_were_read_and_an_imports_are_not(
    memory, frames_of
):
    for stream in ("cam", "foe"):  # the picture of the first frame is kept
        watch(memory, frames_of, stream, [AXES[0], AXES[1]], notes=[("screen", 2.0, "a locked door")])
    imported(memory, "foe")
    check = Reading(cam="exit", foe="exit")
    found = {
        c.entry.stream: c for c in asked(memory, "a slide about a locked door", AXES[9], check=check) if c.noted
    }
    assert (found["cam"].claimed, found["cam"].score > 0.8) == (False, True)
    assert (found["foe"].claimed, found["foe"].score < BELIEVED_FROM) == (True, True)
    assert check.asked == ["foe"]


def test_no_more_than_a_few_pictures_are_read_for_a_question_and_the_rest_are_claims(memory, frames_of):
    for k in range(12):
        watch(memory, frames_of, f"foe{k}", [AXES[k]], notes=[("screen", 0.0, "a locked door")])
    check = Reading(**{f"foe{k}": "locked door" for k in range(12)})
    found = asked(memory, "a slide about a locked door", AXES[30], top=50, check=check)
    assert (len(check.asked), sum(not c.claimed for c in found if c.noted)) == (8, 8)


@pytest.mark.parametrize("text", ["the slide that mentions a locked door", "a locked door"])
def test_no_picture_is_read_again_where_any_words_or_none_can_be_the_answer(memory, frames_of, text):
    watch(memory, frames_of, "cam", [AXES[0]], notes=[("screen", 1.0, "a locked door")])
    check = Reading()
    asked(memory, text, AXES[9], check=check)
    assert check.asked == []


def test_many_copies_do_not_drown_another_moment_that_is_believed(memory, frames_of):
    rng = np.random.default_rng(3)
    decoy = near(AXES[9], AXES[1], 0.3)
    copies = [near(decoy, rng.normal(size=D).astype(np.float32) / D**0.5, 0.15) for _ in range(60)]
    between = [AXES[10 + k % 20] for k in range(60)]
    planted = [vector for pair in zip(copies, between, strict=True) for vector in pair]
    watch(memory, frames_of, "replay", planted)
    watch(memory, frames_of, "cam", [AXES[2], near(AXES[9], AXES[3], 0.42), AXES[4]])
    plain = sorted(asked(memory, "a red kite", AXES[9], top=500), key=lambda c: -c.cosine)
    assert [c.entry.stream for c in plain[:5]] == ["replay"] * 5
    found = asked(memory, "a red kite", AXES[9])
    assert id_of("cam", 5) in [c.entry.id for c in found]
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)


def test_a_question_of_the_kind_of_the_entries_weighs_few_and_finds_the_same(memory, frames_of, monkeypatch):
    rng = np.random.default_rng(5)
    drawn = rng.normal(size=(200, D)).astype(np.float32) / D**0.5 + 1.5 * AXES[9]
    shown = list(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))  # all nearer to each other than belief asks
    watch(memory, frames_of, "cam", shown)
    every = []
    monkeypatch.setattr(weighing, "weighed", lambda *given: every.append(given) or weighed(*given))
    found = asked(memory, "", shown[7])
    assert len(every) == 40
    assert all(c.score >= BELIEVED_FROM for c in asked(memory, "", shown[7], top=100))
    assert [c.entry.id for c in found] == [c.entry.id for c in asked(memory, "", shown[7], top=100)][:5]


def test_copies_of_two_streams_are_two_witnesses(memory, frames_of):
    for stream in ("left", "right"):
        watch(memory, frames_of, stream, [AXES[1], AXES[9], AXES[2]])
    assert {c.entry.stream for c in asked(memory, "a red kite", AXES[9], top=2)} == {"left", "right"}


@pytest.mark.parametrize(("cosine", "other"), [(0.7, 0.55), (0.3, 0.1)])
def test_a_picture_that_is_shown_again_elsewhere_beside_words_is_no_other_witness(
    memory, frames_of, cosine, other
):
    picture = cosine * AXES[9] + np.sqrt(1 - cosine**2) * AXES[0]
    for k in range(3):
        watch(memory, frames_of, f"foe/{k}", [near(picture, AXES[20 + k], 0.03)], notes=[("screen", 1, "a kite")])
    watch(memory, frames_of, "a-kite", [near(picture, AXES[24], 0.03)])  # nor is one whose name speaks
    watch(memory, frames_of, "cam", [picture, AXES[1]])
    watch(memory, frames_of, "yard", [other * AXES[9] + np.sqrt(1 - other**2) * AXES[3]])
    found = asked(memory, "a kite", AXES[9], top=3)
    assert {"cam", "yard"} <= {c.entry.stream for c in found}


def test_claims_of_several_streams_take_two_places_as_those_of_one_do(memory, frames_of):
    for k in range(4):
        watch(memory, frames_of, f"foe/{k}", [AXES[20 + k]], notes=[("screen", 1, "a red kite")])
    watch(memory, frames_of, "cam", [near(AXES[k], AXES[9], 0.2) for k in range(4)])
    assert [c.claimed for c in asked(memory, "a red kite", AXES[9])] == [True, True, False, False, False]


def test_an_import_does_not_outrank_own_footage(memory, frames_of):
    watch(memory, frames_of, "cam", [AXES[0], near(AXES[9], AXES[3], 0.4)])
    for stream in ("friend", "foe"):
        watch(memory, frames_of, stream, [AXES[9], AXES[5]])
    imported(memory, "friend", "foe")
    best, *others = asked(memory, "a red kite", AXES[9])
    assert (best.entry.id, best.made_by) == (id_of("cam", 5), None)
    assert {c.made_by for c in others if c.score >= BELIEVED_FROM} == {FILE.id}
    assert best.score > others[0].score >= BELIEVED_FROM  # it is found, behind


def test_what_is_imported_alone_is_believed_as_it_was(memory, frames_of):
    watch(memory, frames_of, "friend", [AXES[0], AXES[9]], text="a red kite")
    before = asked(memory, "a red kite", AXES[9])
    imported(memory, "friend")
    after = asked(memory, "a red kite", AXES[9])
    assert [(c.entry.id, c.score) for c in after] == [(c.entry.id, c.score) for c in before]
    assert {c.made_by for c in after} == {FILE.id}


class Seen:
    """Says what each picture shows when it is looked at again; None where there is no picture."""

    def __init__(self, cosine):
        self.cosine_of, self.asked = cosine, []

    def cosine(self, entry, asked_D, box):
        self.asked.append(entry.stream)
        return self.cosine_of


@pytest.mark.parametrize("again", [0.05, None])
def test_an_import_whose_picture_does_not_bear_its_vector_out_is_not_believed(memory, frames_of, again):
    watch(memory, frames_of, "cam", [AXES[0], AXES[1]])
    watch(memory, frames_of, "foe", [AXES[9], AXES[5]])
    imported(memory, "foe")
    check = Seen(again)
    found = asked(memory, "a red kite", AXES[9], check=check)
    assert all(c.score < BELIEVED_FROM for c in found)
    assert check.asked == ["foe"]  # own footage is not looked at again, nor what is not believed
    assert asked(memory, "a red kite", AXES[9], check=Seen(0.9))[0].score >= BELIEVED_FROM


def test_words_of_an_import_are_a_claim_and_those_of_own_sources_are_not(memory, frames_of):
    watch(memory, frames_of, "robot", [AXES[0], AXES[1]], text="fold the towel")
    watch(memory, frames_of, "foe", [AXES[3], AXES[5]], text="open the safe")
    imported(memory, "foe")
    assert asked(memory, "fold the towel", AXES[9])[0].score > 0.8
    claim = asked(memory, "open the safe", AXES[9])[0]
    assert (claim.entry.stream, claim.claimed, claim.score < BELIEVED_FROM) == ("foe", True, True)


@pytest.mark.parametrize(("shown", "believed"), [(0.27, False), (0.45, False), (0.48, False), (0.55, True)])
def test_words_make_no_answer_of_a_picture_that_is_not_believed_by_itself(memory, frames_of, shown, believed):
    """At a cosine of .27 a picture is believed .01, at .45 .27, at .48 .4, at .55 .73."""
    vector = shown * AXES[9] + np.sqrt(1 - shown**2) * AXES[0]
    watch(memory, frames_of, "cam", [vector, AXES[1]], notes=[("screen", 1.0, "a locked door")])
    best = asked(memory, "a locked door", AXES[9])[0]
    assert best.noted is not None
    assert (best.seen >= BELIEVED_FROM, best.score >= BELIEVED_FROM, best.claimed) == (
        believed,
        believed,
        not believed,
    )


def test_half_of_the_words_are_a_claim_too(memory, frames_of):
    """Who knows the rule plants words that are believed a little less than one half."""
    watch(memory, frames_of, "cam", [AXES[0], AXES[1]], notes=[("screen", 1.0, "something about a door")])
    best = asked(memory, "a locked door", AXES[9])[0]
    assert 0.1 < best.score < BELIEVED_FROM
    assert best.claimed
    assert best.witnessed < 0.05


def test_a_claim_takes_no_place_from_a_picture_that_is_nearly_believed(memory, frames_of):
    clear, nearly, far = (c * AXES[9] + np.sqrt(1 - c**2) * AXES[k] for k, c in enumerate((0.6, 0.48, 0.2)))
    for stream, vector in (("nearly", nearly), ("far", far)):
        watch(memory, frames_of, stream, [vector])
    watch(memory, frames_of, "foe", [AXES[4]], notes=[("speech", 1.0, "a locked door")])
    assert [c.entry.stream for c in asked(memory, "a locked door", AXES[9])] == ["foe", "nearly", "far"]
    watch(memory, frames_of, "clear", [clear])
    assert [c.entry.stream for c in asked(memory, "a locked door", AXES[9])] == ["clear", "nearly", "foe", "far"]


@pytest.mark.parametrize("check", [Seen(0.48), None])
def test_words_of_an_import_are_no_answer_beside_its_own_doubtful_picture(memory, frames_of, check):
    """Beside a picture of one's own they would be; an import's vector and its words are one witness."""
    vector = 0.48 * AXES[9] + np.sqrt(1 - 0.48**2) * AXES[0]
    watch(memory, frames_of, "cam", [AXES[2], AXES[3]])
    watch(memory, frames_of, "friend", [vector, AXES[5]], notes=[("screen", 1.0, "a locked door")])
    imported(memory, "friend")
    best = asked(memory, "a locked door", AXES[9], check=check)[0]
    assert (best.entry.stream, best.claimed, best.score < BELIEVED_FROM) == ("friend", True, True)


def test_an_import_without_pictures_is_not_believed_for_its_vectors_and_words(memory, frames_of):
    watch(memory, frames_of, "cam", [AXES[2], AXES[3]])
    watch(memory, frames_of, "friend", [AXES[9], AXES[5]], notes=[("speech", 1.0, "a locked door")])
    imported(memory, "friend")
    best = asked(memory, "a locked door", AXES[9], check=Seen(None))[0]
    assert (best.entry.stream, best.claimed, best.score < BELIEVED_FROM) == ("friend", True, True)


def test_a_claim_stays_before_pictures_that_are_not_believed(memory, frames_of):
    """An honest screen mostly says what was asked for; a picture that is believed comes first all the same."""
    watch(memory, frames_of, "screen", [AXES[0], AXES[1]], notes=[("screen", 1.0, "a locked door")])
    doubtful = 0.49 * AXES[9] + np.sqrt(1 - 0.49**2) * AXES[2]
    watch(memory, frames_of, "cam", [doubtful, AXES[3]])
    found = asked(memory, "a locked door", AXES[9])
    assert [c.entry.stream for c in found[:2]] == ["screen", "cam"]
    assert 0.4 < found[1].score < found[0].score < BELIEVED_FROM
    believed = 0.52 * AXES[9] + np.sqrt(1 - 0.52**2) * AXES[4]
    watch(memory, frames_of, "other", [believed, AXES[6]])
    assert asked(memory, "a locked door", AXES[9])[0].entry.stream == "other"


def test_an_import_whose_picture_bears_it_out_stands_where_it_belongs(memory, frames_of):
    watch(memory, frames_of, "cam", [AXES[0], near(AXES[9], AXES[3], 0.4)])
    watch(memory, frames_of, "friend", [AXES[9], AXES[5]])
    imported(memory, "friend")
    assert asked(memory, "a red kite", AXES[9], check=Seen(0.95))[0].made_by == FILE.id
    assert asked(memory, "a red kite", AXES[9])[0].made_by is None


def test_many_claims_of_one_source_do_not_drown_what_a_picture_may_show(memory, frames_of):
    words = [("screen", 5.0 * k + 1, "a red kite") for k in range(12)]
    watch(memory, frames_of, "visitor", [AXES[10 + k] for k in range(12)], notes=words)
    watch(memory, frames_of, "cam", [AXES[2], near(AXES[9], AXES[3], 0.55), AXES[4]])
    found = asked(memory, "a red kite", AXES[9])
    assert sum(c.claimed for c in found) == 2
    assert id_of("cam", 5) in [c.entry.id for c in found]


def test_words_cost_a_moment_neither_its_place_nor_its_own_time(memory, frames_of):
    """Of many moments of which words speak, those after the first two are found by their pictures."""
    watch(memory, frames_of, "talk", [AXES[k] for k in range(10, 14)], notes=[
        ("speech", 5.0 * k + 1, "a locked door") for k in range(4)
    ])  # fmt: skip
    doubtful = 0.42 * AXES[9] + np.sqrt(1 - 0.42**2) * AXES[1]
    watch(memory, frames_of, "cam", [AXES[2], doubtful, AXES[3]], notes=[("speech", 6.0, "somewhere a door")])
    watch(memory, frames_of, "yard", [0.1 * AXES[9] + np.sqrt(0.99) * AXES[k] for k in range(20, 26)])
    found = asked(memory, "a locked door", AXES[9], top=4)
    (own,) = (c for c in found if c.entry.stream == "cam")
    assert (own.claimed, own.score) == (True, own.witnessed)
    assert (own.cited.t0_s, own.cited.t1_s) == (5.0, 10.0)
    assert [c.cited.t1_s - c.cited.t0_s for c in found[:2]] == [2.0, 2.0]  # when it was said, of what words found


def test_a_claim_stands_behind_others_no_further_than_its_picture_does(memory, frames_of):
    clear, more, less = (c * AXES[9] + np.sqrt(1 - c**2) * AXES[k] for k, c in enumerate((0.6, 0.49, 0.48)))
    for stream, vector in (("clear", clear), ("less", less)):
        watch(memory, frames_of, stream, [vector])
    watch(memory, frames_of, "more", [more], notes=[("speech", 1.0, "a locked door")])
    assert [c.entry.stream for c in asked(memory, "a locked door", AXES[9])] == ["clear", "more", "less"]


def test_what_words_speak_for_has_the_last_place_and_no_more_belief(memory, frames_of):
    alike = [(0.6 - 0.005 * k) * AXES[9] + 0.8 * AXES[k] for k in range(6)]
    watch(memory, frames_of, "yard", [vector / np.linalg.norm(vector) for vector in alike])
    notes = [("speech", 1.0, "a locked door"), ("speech", 6.0, "a locked door")]
    watch(memory, frames_of, "talk", [AXES[20], AXES[21]], notes=notes)
    found = asked(memory, "a locked door", AXES[9])
    assert [c.entry.stream for c in found] == ["yard"] * 4 + ["talk"]
    assert (found[-1].claimed, found[-1].score < BELIEVED_FROM) == (True, True)
    assert {c.entry.stream for c in asked(memory, "a locked door", AXES[9], top=2)} == {"yard"}
    imported(memory, "talk")  # an import's words have no such place
    assert {c.entry.stream for c in asked(memory, "a locked door", AXES[9])} == {"yard"}


def test_vectors_of_an_import_without_pictures_take_one_place(memory, frames_of):
    watch(memory, frames_of, "cam", [near(AXES[k], AXES[9], 0.2) for k in range(4)])
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(8, D)).astype(np.float32) / D**0.5
    watch(memory, frames_of, "foe", [vector for each in noise for vector in (near(AXES[9], each, 0.3), AXES[20])])
    imported(memory, "foe")
    found = asked(memory, "a red kite", AXES[9], check=Seen(None))
    assert [c.claimed for c in found] == [True, False, False, False, False]
    assert {c.entry.stream for c in found[1:]} == {"cam"}


def test_one_source_of_copies_does_not_hide_the_original_and_three_are_no_three_witnesses(memory, frames_of):
    picture = 0.7 * AXES[9] + np.sqrt(1 - 0.7**2) * AXES[0]
    watch(memory, frames_of, "cam", [near(picture, AXES[1], 0.04), AXES[2]])
    yard = [0.72 * AXES[9] + np.sqrt(1 - 0.72**2) * AXES[k] for k in range(3, 6)]
    watch(memory, frames_of, "yard", yard)
    watch(memory, frames_of, "replay/1", [picture, AXES[20], near(picture, AXES[21], 0.01), AXES[22]])
    assert id_of("cam", 0) in [c.entry.id for c in asked(memory, "a kite", AXES[9], top=5)]
    for k in range(2, 5):
        watch(memory, frames_of, f"replay/{k}", [picture])
    assert sum(c.entry.stream.startswith("replay") for c in asked(memory, "a kite", AXES[9], top=6)) <= 3
