"""Notes in a memory: kept, found, bounded, forgotten."""

import dataclasses
import sqlite3
import subprocess

import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.recall.notes import asked_words, find_notes, whole_screen
from hippocam.memory.recall.query import Query
from hippocam.memory.store.notes import bytes_of, note_id
from hippocam.stream.records import EncoderSpec, Note, Sensed

D = 32
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(D, dtype=np.float32)
SECRET = "zyxomma"


def writer(folder, budget=4_000_000, **config):
    config = MemoryConfig(budget_bytes=budget, **config)
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=config)


def said(t0_s, t1_s, text, kind="speech", stream="cam"):
    return Note(stream=stream, kind=kind, t0_s=t0_s, t1_s=t1_s, text=text)


def scenes(frames_of, axes, stream="cam"):
    """A scene of 5 s for each axis, a frame a second."""
    return frames_of(stream, [(5 * k + t, AXES[axis]) for k, axis in enumerate(axes) for t in range(5)])


def woven(items, notes):
    return sorted(
        [*items, *notes], key=lambda i: (i.t1_s if isinstance(i, Note) else i.time_s, isinstance(i, Note))
    )


def watch(memory, items, stream="cam", complete=True):
    memory.begin(stream, uri=f"/x/{stream}.mp4", fingerprint="f")
    memory.write(items)
    memory.finish(stream, complete=complete)


def rows(folder):
    database = sqlite3.connect(folder / "memory.db")
    found = database.execute("SELECT kind, t0_s, t1_s, known_s, text FROM note ORDER BY t0_s, text").fetchall()
    database.close()
    return found


def ask(memory, text, axis=31, **where):
    return memory.recall(Query(text=text, vector=AXES[axis], **where))


NOTES = [
    said(1.0, 3.5, "Put the kettle on the stove."),
    said(11.0, 14.0, "The lighthouse keeper waved at us."),
    said(15.5, 16.0, "Chapter of storms", "chapter"),
]


@pytest.fixture
def folder(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, woven(scenes(frames_of, [0, 1, 2, 3, 4]), NOTES))
    return tmp_path / "m"


def test_what_was_said_is_known_once_it_was_said_and_all_else_when_it_begins(folder):
    assert rows(folder) == [
        ("speech", 1.0, 3.5, 3.5, "Put the kettle on the stove."),
        ("speech", 11.0, 14.0, 14.0, "The lighthouse keeper waved at us."),
        ("chapter", 15.5, 16.0, 15.5, "Chapter of storms"),
    ]


def test_words_find_the_moment_that_overlaps_and_cite_their_own_times(folder):
    with Memory.open_reader(folder) as memory:
        best = ask(memory, "when is the lighthouse keeper mentioned")[0]
        assert (best.entry.t0_s, best.entry.t1_s) == (10, 15)
        assert (best.cited.t0_s, best.cited.t1_s) == (11.0, 14.0)
        assert best.score > 0.8
        assert best.noted is not None
        assert best.noted.words == ("lighthouse", "keeper")
        assert ask(memory, "kettles")[0].cited.t0_s == 1.0  # another form of the word


def test_what_is_said_stands_beside_what_is_seen_and_joins_it_where_words_are_asked_for(folder):
    with Memory.open_reader(folder) as memory:
        seen = ask(memory, "lighthouse keeper", axis=2)[0]
        assert seen.entry.t0_s == 10
        assert (seen.score, seen.noted is None) == (seen.seen, False)
        said = ask(memory, "the words about the lighthouse keeper", axis=2)[0]
        assert said.score == pytest.approx(1 - (1 - said.seen) * (1 - said.noted.belief))
        assert said.score > max(said.seen, said.noted.belief)


@pytest.mark.parametrize(
    "absent",
    ["a giraffe eats leaves at the zoo", "the keeper of a football goal", "who waved a red flag", "on the of"],
)
def test_some_words_in_common_are_no_answer(folder, absent):
    with Memory.open_reader(folder) as memory:
        assert all(c.score < 0.5 for c in ask(memory, absent))


def test_as_of_a_time_nothing_later_is_used(folder):
    with Memory.open_reader(folder) as memory:
        assert all(c.noted is None for c in ask(memory, "the lighthouse keeper", at_s=13.9))
        assert memory.notes("cam", 10.0, 20.0, at_s=13.9) == []
        assert any(c.noted for c in ask(memory, "the lighthouse keeper", at_s=14.0))
        (chapter,) = memory.notes("cam", 15.0, 20.0, at_s=15.75)
        assert (chapter.t0_s, chapter.t1_s) == (15.5, 15.75)


def test_conditions_on_time_and_stream_hold_for_notes(folder):
    with Memory.open_reader(folder) as memory:
        assert all(c.noted is None for c in ask(memory, "lighthouse keeper", before_s=10.0))
        assert all(c.noted is None for c in ask(memory, "lighthouse keeper", after_s=14.5))
        assert ask(memory, "lighthouse keeper", camera="other") == []


def test_words_of_two_lines_count_together(tmp_path, frames_of):
    title = [said(6, 9, "WANNAWORK", "screen"), said(6.5, 9, "TOGETHER?", "screen"), said(20, 22, "Work hard")]
    with writer(tmp_path / "m") as memory:
        watch(memory, woven(scenes(frames_of, [0, 1, 2, 3, 4]), title))
        best = ask(memory, "wanna work together")[0]
        assert (best.cited.t0_s, best.cited.t1_s) == (6.5, 9)
        assert {note.text for note in best.noted.notes} == {"WANNAWORK", "TOGETHER?"}
        assert best.score < 0.5  # a picture may be meant
        assert ask(memory, "the words wanna work together")[0].score > 0.5


def test_a_note_whose_picture_is_gone_speaks_for_itself(folder):
    with writer(folder) as memory:
        entry = ask(memory, "lighthouse keeper")[0].entry.id
        memory.longterm.held.give_up_entry(entry, "given up", {})
    with Memory.open_reader(folder) as memory:
        best = ask(memory, "lighthouse keeper")[0]
        assert (best.entry.jpeg_bytes, best.cited.t0_s, best.cited.t1_s) == (0, 11.0, 14.0)
        assert best.entry.id == note_id("cam", "speech", 11.0, NOTES[1].text)


def test_watching_again_or_on_adds_nothing_twice(tmp_path, folder, frames_of):
    items = woven(scenes(frames_of, [0, 1, 2, 3, 4]), NOTES)
    with writer(tmp_path / "on") as memory:
        watch(memory, items[:14], complete=False)
        watch(memory, items)
        watch(memory, items)
    assert rows(tmp_path / "on") == rows(folder)


def test_text_on_screen_becomes_one_note_across_events_and_interruptions(tmp_path, frames_of):
    items = [
        dataclasses.replace(item, sensed=Sensed(screen=("Terms of use",) if item.time_s < 17 else ()))
        for item in scenes(frames_of, [0, 1, 2, 3, 4])
    ]
    with writer(tmp_path / "m") as memory:
        watch(memory, items[:9], complete=False)
        assert [row[1:3] for row in rows(tmp_path / "m")] == [(0.0, 8.0)]
        watch(memory, items)
        assert [row[1:] for row in rows(tmp_path / "m")] == [(0.0, 16.0, 0.0, "Terms of use")]


def test_notes_keep_to_their_share_and_the_folder_to_its_budget(tmp_path, frames_of):
    budget = 1_000_000
    with writer(tmp_path / "m", budget) as memory:
        memory.begin("cam", uri="/x", fingerprint="f")
        rng = np.random.default_rng(5)
        for k in range(300):
            frame = frames_of("cam", [(5.0 * k, rng.normal(size=D))], first_seq=k, jpeg_bytes=3000)
            words = " ".join(f"word{n}" for n in rng.integers(0, 9999, 12))
            memory.write(
                [*frame, said(5.0 * k, 5.0 * k + 2, words), said(5.0 * k, 5.0 * k + 1, "Advertisement", "screen")]
            )
            size = int(
                subprocess.run(["du", "-sb", tmp_path / "m"], capture_output=True, check=True).stdout.split()[0]
            )
            assert size <= budget
        memory.finish("cam")
        kept = memory.store.notes.of("cam")
    assert sum(bytes_of(row.note) for row in kept) <= 0.1 * budget
    assert sum(row.note.text == "Advertisement" for row in kept) < 20  # what comes again goes first
    assert max(row.note.t0_s for row in kept) == 5.0 * 299
    spoken = [row.note.t0_s for row in kept if row.note.kind == "speech"]
    assert len(spoken) > 100
    assert min(spoken) > 100  # then the oldest


def on_disk(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_what_is_forgotten_is_gone_from_the_bytes_and_from_the_search(tmp_path, frames_of):
    folder = tmp_path / "m"
    notes = [
        said(1, 2, "harmless words"),
        said(11, 12, f"the {SECRET} is buried"),
        said(12, 13, "more " + SECRET, "screen"),
    ]
    with writer(folder) as memory:
        watch(memory, woven(scenes(frames_of, [0, 1, 2, 3, 4]), notes))
        assert SECRET.encode() in on_disk(folder)
        gone = memory.forget(Filter(stream="cam", after_s=10.5, before_s=14.0))
        assert gone.notes == 2
        assert SECRET.encode() not in on_disk(folder)
        assert [row[4] for row in rows(folder)] == ["harmless words"]
        assert all(c.noted is None for c in ask(memory, f"mention of {SECRET}"))
        assert memory.longterm.notes.bytes == memory.store.notes.bytes()


def test_an_entry_that_is_forgotten_takes_its_notes_along(tmp_path, frames_of):
    folder = tmp_path / "m"
    with writer(folder) as memory:
        watch(memory, woven(scenes(frames_of, [0, 1, 2, 3, 4]), [said(11, 12, f"the {SECRET} is buried")]))
        memory.forget([ask(memory, SECRET)[0].entry.id])
        assert SECRET.encode() not in on_disk(folder)


def test_a_stream_that_is_forgotten_leaves_no_note(folder):
    with writer(folder) as memory:
        assert memory.forget(Filter(stream="cam")).notes == 3
    assert rows(folder) == []


@pytest.mark.parametrize(
    ("question", "words", "about"),
    [
        ("When does she say that the kettle boils?", ["kettle", "boils"], True),
        ("What is written on the screen about fees?", ["fees"], True),
        ("a man at a computer screen", ["man", "computer", "screen"], False),
        ('Where is "fair use"?', ["fair", "use"], True),
        ("What is said?", ["said"], True),
    ],
)
def test_a_question_about_words_is_told_from_others(question, words, about):
    assert asked_words(question) == (words, about)


class Same:
    """Takes two sentences for the same if a table says so."""

    def __init__(self, **same):
        self.same = same

    def likeness(self, text, others):
        wanted = sorted(self.same.get(text, "").split())
        return np.array([1.0 if sorted(other.split()) == wanted else 0.0 for other in others], np.float32)


def test_notes_are_found_by_what_they_mean_and_lines_of_one_look_are_one_passage(tmp_path, frames_of):
    notes = [said(6, 7, "and it is", "screen"), said(6, 8, "free", "screen"), said(11, 12, "goodbye")]
    same = Same(costs="free and it is", cost="free and it is", leaves="goodbye")
    with writer(tmp_path / "m") as memory:
        watch(memory, woven(scenes(frames_of, [0, 1, 2]), notes))
        (best, *_) = ask(memory, "When does the text say what it costs?", sentences=same)
        assert {note.text for note in best.noted.notes} == {"and it is", "free"}
        assert (best.cited.t0_s, best.cited.t1_s) == (6, 7)
        assert best.score > 0.5
        # what is said is only a hint for a question about what is seen
        assert ask(memory, "Somebody leaves", sentences=same)[0].score < 0.5
        assert all(found.noted is None for found in ask(memory, "Somebody leaves"))


def test_a_name_that_no_note_holds_is_not_there_in_other_words_either(tmp_path, frames_of):
    notes = [said(6, 7, "Ada Lovelace", "screen"), said(11, 12, "the first programmer")]
    same = Same(**dict.fromkeys(("page programmer", "page programmer babbage"), "the first programmer"))
    with writer(tmp_path / "m") as memory:
        watch(memory, woven(scenes(frames_of, [0, 1, 2]), notes))

        def found(text):
            hits = find_notes(memory.store.notes, text, Filter(), 5, sentences=same, about_words=True)
            return [note.text for hit in hits if hit.belief > 0.5 for note in hit.notes]

        assert found("page mentions programmer") == ["the first programmer"]
        assert found("page mentions programmer Babbage") == []
        assert found("Lovelace") == ["Ada Lovelace"]


def test_what_can_only_be_read_is_believed_where_the_asker_says_so(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, woven(scenes(frames_of, [0, 1]), [said(6, 7, "Producer: Jo Brown", "screen")]))
        assert ask(memory, "producer")[0].claimed
        (best, *_) = ask(memory, "producer", in_words=True)
        assert not best.claimed
        assert best.score > 0.8


def test_words_in_quotes_may_have_apostrophes():
    assert asked_words("the sign 'It's here'")[1]
    assert not asked_words("the dog's bowl and the cat's")[1]


def test_a_question_that_names_no_words_gets_all_of_them_by_time(folder):
    with Memory.open_reader(folder) as memory:
        spoken = find_notes(memory.store.notes, "What is said?", Filter(), 10)
        written = find_notes(memory.store.notes, "What does the text on the screen say?", Filter(), 10)
    assert {note.kind for hit in spoken for note in hit.notes} == {"speech"}
    assert all(note.kind != "speech" for hit in written for note in hit.notes)
    for hits in (spoken, written):
        assert [hit.span.t0_s for hit in hits] == sorted(hit.span.t0_s for hit in hits)
        assert all(hit.belief > 0.5 for hit in hits)


def test_words_that_only_say_how_words_came_are_not_looked_for():
    assert asked_words("When is the slide about the pipeline shown?") == (["pipeline"], True)
    assert asked_words("When does the screen ask about business use?") == (["business", "use"], True)
    assert asked_words("a child on a slide") == (["child", "slide"], False)


def line(t0_s, t1_s, text, number):
    return dataclasses.replace(said(t0_s, t1_s, text, "screen"), line=number)


def test_a_screen_is_given_whole_and_in_reading_order(tmp_path, frames_of):
    lines = [
        line(6, 9, "zeta first", 0),
        line(6, 9, "alpha second", 1),
        line(7, 9, "beta third", 2),
        line(12, 13, "later", 0),
    ]
    with writer(tmp_path / "m") as memory:
        watch(memory, woven(scenes(frames_of, [0, 1, 2]), lines))
        (best, *_) = ask(memory, 'When does it say "alpha second"?')
        assert [note.text for note in best.noted.notes] == ["alpha second"]
        shown = whole_screen(best.noted, memory.notes("cam", best.cited.t0_s, best.cited.t1_s))
        assert [note.text for note in shown] == ["zeta first", "alpha second", "beta third"]
        assert [note.text for note in memory.notes("cam", 5, 10)] == ["zeta first", "alpha second", "beta third"]
    spoken = dataclasses.replace(best.noted, notes=(said(1, 2, "alpha"),))
    assert whole_screen(spoken, lines) == spoken.notes
