"""Tables of contents of a film of colours, whose scenes are known."""

from itertools import pairwise

import pytest

from hippocam.apps.sentences.contents import contents
from hippocam.apps.sentences.sentences import Sentences
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.stream.records import Embedding, Note

ENCODER = make_encoder("palette")
# 20 s each; the encoder knows colours alone, so a title is one of the phrases that name this colour.
SCENES = ("red", "green", "blue", "red", "white", "white")


def write(folder, notes=()):
    colours = ENCODER.encode_texts(SCENES)
    with Memory.open_writer(folder, encoder="palette", spec=ENCODER.spec) as writer:
        writer.begin("film", uri="film", fps=1)
        for second in range(20 * len(SCENES)):
            vector = colours[second // 20]
            writer.write([Embedding(stream="film", seq=second, time_s=float(second), vector=vector, jpeg=b"x")])
        writer.write(notes)
        writer.finish("film")
    return folder


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    with Memory.open_reader(write(tmp_path_factory.mktemp("film"))) as memory:
        yield memory


def test_chapters_are_the_scenes_and_alike_neighbours_are_one(film):
    told = contents(film, Sentences(film), "film")
    assert [chapter.t0_s for chapter in told] == pytest.approx([0, 20, 40, 60, 80], abs=1.1)
    for chapter, colour in zip(told, SCENES, strict=False):
        assert colour in chapter.title
    assert all(one.t1_s <= two.t0_s for one, two in pairwise(told))


def test_no_title_comes_twice(film):
    titles = [chapter.title for chapter in contents(film, Sentences(film), "film")]
    assert len(set(titles)) == len(titles)
    assert titles[3] == f"{titles[0]}, again"


def test_a_stretch_has_chapters_of_its_own(film):
    told = contents(film, Sentences(film), "film", after_s=30, before_s=50)
    assert [(chapter.t0_s, chapter.t1_s) for chapter in told] == [
        (30, pytest.approx(40, abs=1.1)),
        (told[0].t1_s, 50),
    ]
    assert len(contents(film, Sentences(film), "film", most=2)) == 2
    assert contents(film, Sentences(film), "film", after_s=1000) == []
    assert contents(film, Sentences(film), "nothing") == []


def test_a_chapter_is_called_after_an_entry_of_its_own(film):
    for chapter in contents(film, Sentences(film), "film"):
        entry = film.entry(chapter.entry_id)
        assert chapter.t0_s <= entry.t0_s < chapter.t1_s


def test_chapters_of_the_source_are_kept(tmp_path):
    notes = [
        Note(stream="film", kind="chapter", t0_s=0.0, t1_s=40.0, text="The garden"),
        Note(stream="film", kind="chapter", t0_s=40.0, t1_s=120.0, text="The lake"),
    ]
    with Memory.open_reader(write(tmp_path / "film", notes)) as memory:
        told = contents(memory, Sentences(memory), "film")
    assert [(chapter.t0_s, chapter.t1_s) for chapter in told] == [(0, 40), (40, 120)]
    assert [chapter.title.partition(": ")[0] for chapter in told] == ["The garden", "The lake"]
