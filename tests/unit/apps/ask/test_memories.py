"""Several memories asked as one, against one memory that holds all of it; vectors are constructed."""

import io
import json

import numpy as np
import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.cli.where import find_memories
from hippocam.apps.session import Session
from hippocam.memory.memory import Memory
from hippocam.memory.provenance.records import Import, ImportedPart
from hippocam.memory.recall.recall import belief
from hippocam.memory.records import Evidence
from hippocam.memory.store.notes import row_of
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Embedding, EncoderSpec, Note, Sensed, Thing

D = 48
NAMES = ("mon", "tue", "wed", "thu")
EVENTS = {"mon": 3, "tue": 40, "wed": 25, "thu": 60}  # of very different sizes
SPEC = EncoderSpec(id="fake:1", dim=D, normalised=True, midpoint=0.4, slope=20.0, growth=0.05)
TARGET = np.eye(D, dtype=np.float32)[0]


class FakeEncoder:
    spec = SPEC

    def __init__(self):
        self.texts = []

    def encode_texts(self, texts):
        self.texts += texts
        return np.stack([TARGET for _ in texts])


@pytest.fixture
def encoder(monkeypatch):
    encoder = FakeEncoder()
    monkeypatch.setattr("hippocam.apps.folders.make_encoder", lambda name: encoder)
    return encoder


def scenes(name):
    """Scenes of a shard, 6 s each; every fifth at a known cosine with what is asked for, all different."""
    rng = np.random.default_rng(NAMES.index(name))
    vectors = rng.standard_normal((EVENTS[name], D)).astype(np.float32)
    vectors[:, 0] = 0
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for k in range(0, len(vectors), 5):
        cosine = 0.75 - 0.011 * k - 0.002 * NAMES.index(name)
        vectors[k] = cosine * TARGET + np.sqrt(1 - cosine**2) * vectors[k]
    return vectors


def fill(folder, streams, spec=SPEC):
    with Memory.open_writer(folder, encoder="fake", spec=spec) as memory:
        for stream, vectors in streams.items():
            memory.begin(stream, uri=stream, fps=1)
            for second in range(6 * len(vectors)):
                number = second // 6
                memory.write(
                    [
                        Embedding(
                            stream=stream, seq=second, time_s=float(second), vector=vectors[number],
                            text="van" if number % 7 == 0 else "", jpeg=b"x",
                        )
                    ]
                )  # fmt: skip
            memory.finish(stream)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Four memories, each with a stream of the same name, and one with all four streams."""
    home = tmp_path_factory.mktemp("shards")
    for name in NAMES:
        fill(home / name, {"cam": scenes(name)})
    fill(home / "whole", {f"{name}/cam": scenes(name) for name in NAMES})
    return home


@pytest.fixture
def shards(folders, encoder):
    with Session([folders / name for name in NAMES]) as shards:
        yield shards


@pytest.fixture
def whole(folders, encoder):
    with Session(folders / "whole") as session:
        yield session


def told(moments: tuple[Evidence, ...]):
    return [(m.stream, m.t0_s, m.t1_s, m.score, m.why, m.spans) for m in moments]


@pytest.mark.parametrize(
    "where",
    [
        {}, {"top": 1}, {"top": 60}, {"after_s": 60.0}, {"before_s": 33.0}, {"at_s": 95.0}, {"camera": "cam"},
        {"stream": "tue"}, {"stream": "wed/cam"}, {"stream": "thu", "after_s": 10.0},
    ],
    ids=str,
)  # fmt: skip
def test_shards_find_what_one_memory_of_all_finds(shards, whole, where):
    for text in ("anything", "a van"):
        found, truth = shards.search(text, **where), whole.search(text, **where)
        assert [row[:3] + row[4:] for row in told(found)] == [row[:3] + row[4:] for row in told(truth)]
        assert [m.score for m in found] == pytest.approx([m.score for m in truth], rel=1e-6)
        assert len({m.id for m in found}) == len(found)


def test_neighbours_are_those_of_the_best_of_all(shards, whole):
    def named(moments):
        return [(*row[:4], row[4].startswith("stands beside")) for row in told(moments)]

    found = shards.search("anything", top=4, beside=2)
    assert named(found) == named(whole.search("anything", top=4, beside=2))
    assert len(found) > 4
    anchors = {m.id for m in found}
    beside = [m.why.split()[2] for m in found if m.why.startswith("stands beside")]
    assert beside
    assert set(beside) <= anchors


def test_a_small_memory_is_not_believed_more_easily(shards, folders):
    total = sum(EVENTS.values())
    with Session(folders / "mon") as alone:
        (own,) = alone.search("anything", top=1)
    (best,) = shards.search("anything", top=1)
    assert (best.stream, best.t0_s) == ("mon/cam", 0.0)
    assert own.score == pytest.approx(belief(0.75, SPEC, EVENTS["mon"]), abs=0.02)
    assert best.score == pytest.approx(belief(0.75, SPEC, total), abs=0.02)
    assert best.score < own.score


def test_the_text_is_encoded_once(shards, encoder):
    shards.search("anything")
    assert len(encoder.texts) == 1


def test_an_answer_names_its_memories(shards, whole):
    answer, truth = shards.ask("When was there a van?"), whole.ask("When was there a van?")
    assert answer.answer == truth.answer
    assert "mon/cam" in answer.answer
    assert set(answer.cited) <= {m.id for m in answer.evidence}
    assert answer.confidence == truth.confidence
    listed, known = shards.ask("What happened?"), whole.ask("What happened?")
    assert [(m.stream, m.t0_s) for m in listed.evidence] == [(m.stream, m.t0_s) for m in known.evidence]


def test_streams_and_entries_may_be_named_without_their_memory_where_that_is_clear(
    shards, folders, tmp_path, encoder
):
    fill(tmp_path / "roof", {"roof-cam": scenes("mon")})
    with Session([folders / "mon", tmp_path / "roof"]) as both:
        assert {m.stream for m in both.search("anything", stream="roof-cam")} == {"roof/roof-cam"}
        (best, *_) = both.search("anything", stream="roof")
        place = best.place
        number = best.id.removeprefix("roof/")
        if place:
            for written in (best.id, number):
                assert {m.stream for m in both.search("anything", place_of=written)} == {"roof/roof-cam"}
    with pytest.raises(HippocamError, match="in several memories; give one of mon/cam, tue/cam"):
        shards.search("anything", stream="cam")
    with pytest.raises(HippocamError, match="it holds mon/cam, tue/cam, wed/cam, thu/cam"):
        shards.search("anything", stream="garage")
    with pytest.raises(HippocamError, match="neither the memory nor its journal knows it"):
        shards.search("anything", place_of="0123456789abcdef")
    with pytest.raises(HippocamError, match="the text is empty"):
        shards.search(" ")


def test_memories_of_two_encoders_are_refused_by_name(folders, tmp_path):
    other = EncoderSpec(id="other:2", dim=D, normalised=True, midpoint=0.4, slope=20.0)
    fill(tmp_path / "o", {"cam": scenes("mon")}, spec=other)
    with pytest.raises(HippocamError, match=r"mon was made with encoder fake:1 and .*/o with other:2"):
        Session([folders / "mon", tmp_path / "o"])
    with pytest.raises(HippocamError, match="no memory here"):
        Session([folders / "mon", tmp_path / "nothing"])
    with pytest.raises(HippocamError, match="no memory was named"):
        Session([])


def test_folders_of_one_name_are_told_apart_and_one_that_is_named_twice_counts_once(folders, tmp_path, encoder):
    (tmp_path / "north").mkdir()
    fill(tmp_path / "north" / "mon", {"cam": scenes("tue")})
    (tmp_path / "link").symlink_to(folders / "mon")
    with Session([folders / "mon", tmp_path / "north" / "mon", tmp_path / "link"]) as three:
        names = {stream.id.rpartition("/")[0] for stream in three.status().streams}
        assert names == {f"{folders.name}-mon", "north-mon"}
        assert len({m.id for m in three.search("anything", top=40)}) == 40


def test_a_memory_into_which_nothing_was_watched_is_no_hindrance(folders, tmp_path, encoder):
    with Memory.open_writer(tmp_path / "new", encoder="fake", spec=SPEC):
        pass
    with Session([tmp_path / "new", folders / "mon"]) as both:
        assert both.search("anything", top=1)[0].stream == "mon/cam"


def test_patterns_mean_the_memories_that_they_fit(folders, tmp_path):
    (folders / "tmp").mkdir(exist_ok=True)
    assert find_memories([str(folders / "t*"), str(folders / "mon")]) == [
        folders / "thu", folders / "tue", folders / "mon",
    ]  # fmt: skip
    with pytest.raises(HippocamError, match="fits no memory"):
        find_memories([str(tmp_path / "*")])


def test_the_command_line_asks_several(folders, encoder, capsys):
    assert main(["search", "anything", "--top", "2", "--json", "--memories", str(folders / "t*")]) == 0
    found = json.loads(capsys.readouterr().out)["moments"]
    assert [m["stream"] for m in found] == ["tue/cam", "thu/cam"]
    assert found[0]["id"].startswith("tue/")
    assert main(["ask", "When was there a van?", "--memories", *map(str, (folders / n for n in NAMES))]) == 0
    assert "mon/cam" in capsys.readouterr().out
    assert main(["search", "x", "--memory", "a", "--memories", "b"]) == 2
    assert "not both" in capsys.readouterr().err


def test_what_is_still_open_in_one_is_named_and_believed_like_the_rest(shards, folders, monkeypatch):
    def open_moments(memory, found, query, wording):
        if memory != folders / "mon":
            return []
        assert {moment.stream for moment in found} == {"cam"}
        span = {"t0_s": 500.0, "t1_s": 501.0, "frame_s": 500.0, "spans": ((500.0, 501.0),)}
        return [Evidence(id="open-cam-1", stream="cam", score=0.9, why="just seen", image="", **span)]

    monkeypatch.setattr("hippocam.apps.ask.search.open_moments", open_moments)
    (now,) = [moment for moment in shards.search("anything", top=60) if moment.why == "just seen"]
    assert (now.id, now.stream) == ("mon/open-cam-1", "mon/cam")
    assert 0.5 < now.score < 0.9  # as if it had been compared with the pictures of all
    with Session(folders / "mon") as alone:
        (now,) = [moment for moment in alone.search("anything") if moment.why == "just seen"]
    assert (now.id, now.score) == ("open-cam-1", 0.9)


def test_a_chat_with_several_goes_on_from_its_last_answer(folders, encoder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("When was there a van?\nWhat happened after that?\n"))
    assert main(["chat", "--json", "--memories", *(str(folders / name) for name in NAMES)]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert "mon/cam" in first["answer"]
    assert second["evidence"]
    assert {moment["stream"].split("/")[0] for moment in second["evidence"]} <= set(NAMES)
    assert second["understood"].startswith('after: looked for "a van"')


def test_several_are_told_together_and_entries_are_found_by_their_names(shards, folders, capsys):
    status = shards.status()
    assert [stream.id for stream in status.streams] == [f"{name}/cam" for name in NAMES]
    alone = [Session(folders / name) for name in NAMES]
    assert status.bytes == sum(session.status().bytes for session in alone)
    assert status.budget_bytes == sum(session.status().budget_bytes for session in alone)
    (best,) = shards.search("anything", top=1)
    entry_id, found = shards.explain(best.id)
    assert found.entry is not None
    assert best.id == f"mon/{entry_id:016x}"
    assert shards.entry_at("mon/cam", 2.0) == best.id
    picture = shards.picture(best.id)
    assert picture is not None
    assert picture.read_bytes() == b"x"
    assert shards.picture("mon/nothing") is shards.picture("elsewhere/0123456789abcdef") is None
    assert main(["status", "--memories", str(folders / "mon"), str(folders / "tue")]) == 0
    assert "tue/cam" in capsys.readouterr().out
    for session in alone:
        session.close()


def test_several_are_read_and_not_changed(shards, tmp_path):
    (best,) = shards.search("anything", top=1)
    for change in (
        lambda: shards.watch([tmp_path]),
        lambda: shards.pin([best.id]),
        lambda: shards.forget(stream="mon"),
        lambda: shards.sleep(),
        lambda: shards.undo_entities(1),
    ):
        with pytest.raises(HippocamError, match="needs one memory, and 4 were named"):
            change()


def test_a_list_of_one_is_that_memory_under_its_own_names(folders, encoder):
    with Session([folders / "mon"]) as listed, Session(folders / "mon") as plain:
        assert listed.search("anything") == plain.search("anything")
        assert listed.search("anything")[0].stream == "cam"


def test_what_is_counted_is_summed_up_over_memories_and_told_of_each(tmp_path, encoder):
    """The truth is the plan: two people come at the gate, one at the door, each by another look."""
    for name, visits in {"gate": [(5, 15), (40, 50)], "door": [(20, 30)]}.items():
        with Memory.open_writer(tmp_path / name, encoder="fake", spec=SPEC) as memory:
            memory.begin(name, uri=name, fps=1)
            for second in range(80):
                looks = [np.eye(4, dtype=np.float32)[k] for k, (a, b) in enumerate(visits) if a <= second < b]
                things = tuple(Thing(label="person", score=0.9, box=(0.2, 0.2, 0.4, 0.9), vector=v) for v in looks)
                memory.write(
                    [
                        Embedding(
                            stream=name,
                            seq=second,
                            time_s=float(second),
                            vector=TARGET,
                            jpeg=b"x",
                            sensed=Sensed(things=things),
                        )
                    ]
                )
            memory.finish(name)
    with Session([tmp_path / "gate", tmp_path / "door"]) as both:
        answer = both.ask("How many people came?")
        assert answer.answer.startswith("gate/gate: 2 people so far; door/door: 1 person so far")
        assert {moment.stream for moment in answer.evidence} == {"gate/gate", "door/door"}
        assert both.ask("How many people came in door?").answer.startswith("1 person so far")
        assert both.ask("Was anybody there?").answer.startswith("Yes, three times: 0:04.5 to 0:14.5")
        compared = both.ask("Did more people come in gate than in door?").answer
        assert compared == "Yes: gate/gate two people and door/door one person."


def test_what_is_imported_into_one_stands_behind_own_footage_of_another(tmp_path, encoder):
    """Each moment stays its own memory's, whatever changes places."""
    said = {"mon": {"own": "nothing", "foe": "the red door was locked"}, "tue": {"cam": "a red door locked up"}}
    for name, streams in said.items():
        with Memory.open_writer(tmp_path / name, encoder="fake", spec=SPEC) as memory:
            for stream, words in streams.items():
                memory.begin(stream, uri=stream, fps=1)
                frames = [
                    Embedding(
                        stream=stream, seq=s, time_s=float(s), vector=np.eye(D, dtype=np.float32)[2], jpeg=b"x"
                    )
                    for s in range(6)
                ]
                memory.write([Note(stream=stream, kind="speech", t0_s=1.0, t1_s=3.0, text=words), *frames])
                memory.finish(stream)
            if "foe" in streams:
                file = Import(id=7, file="foe.jsonl", made_s=0.0)
                with memory.store.transaction():
                    memory.store.provenance.note_import("foe", ImportedPart(made_by=file, last_seq=9, end_s=9.0))
    with Session([tmp_path / name for name in said]) as session:
        first, second = session.search("where it is said that the red door was locked", top=2)
    assert [moment.stream for moment in (first, second)] == ["tue/cam", "mon/foe"]
    assert [moment.notes[0].text for moment in (first, second)] == [
        "a red door locked up",
        "the red door was locked",
    ]


def test_claims_of_several_memories_take_two_places_as_those_of_one_do(tmp_path, encoder):
    """Who plants words into each of them fills no more of the answer than in one."""
    words, doubtful = np.eye(D, dtype=np.float32)[2], np.eye(D, dtype=np.float32)[3:8]
    doubtful = 0.3 * TARGET + float(np.sqrt(1 - 0.3**2)) * doubtful
    for name in ("mon", "tue"):
        fill(tmp_path / name, {"cam": doubtful, "foe": np.stack([words, np.eye(D, dtype=np.float32)[20]])})
        with Memory.open_writer(tmp_path / name, encoder="fake", spec=SPEC) as memory:
            told = [Note(stream="foe", kind="screen", t0_s=t, t1_s=t + 2, text="a red door") for t in (1.0, 7.0)]
            memory.longterm.intake.keep_notes(list(map(row_of, told)))
    with Session([tmp_path / name for name in ("mon", "tue")]) as session:
        assert [moment.claimed for moment in session.search("a red door", top=5)] == [True] * 2 + [False] * 3
