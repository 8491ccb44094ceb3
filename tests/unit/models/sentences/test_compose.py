import numpy as np
import pytest

from hippocam.models.sentences.compose import NOTHING_KNOWN, Composer
from hippocam.models.sentences.moment import Moment, Subject
from hippocam.models.sentences.phrases import Part, phrases
from hippocam.models.sentences.picture import Look
from hippocam.stream.records import EncoderSpec

BANK = phrases()
D = len(BANK)


@pytest.fixture(scope="module")
def composer():
    """A composer whose phrases have nothing in common: a picture is near to what it is made of alone."""
    return Composer(np.eye(D, dtype=np.float32))


def picture(*shown):
    """The vector of a picture that looks like some encoded phrases."""
    vector_D = np.zeros(D, np.float32)
    for words in shown:
        vector_D[[k for k, phrase in enumerate(BANK) if phrase.encoded == words]] = 1
    assert vector_D.any()
    return vector_D / np.linalg.norm(vector_D)


def test_a_picture_without_things_is_told_by_the_nearest_phrase(composer):
    assert composer.sentence(Moment(scene_D=picture("a kitchen with white cupboards"))) == (
        "a kitchen with white cupboards"
    )


def test_people_are_counted_by_the_detector_and_do_what_the_picture_looks_like(composer):
    seen = (Subject(label="person", count=2),)
    moment = Moment(
        scene_D=picture("people reading a book", "a library", "a library with rows of books"), subjects=seen
    )
    assert composer.sentence(moment) == "two people reading a book in a library"


def test_nobody_is_named_whom_no_detector_saw(composer):
    told = {
        composer.sentence(Moment(scene_D=picture(phrase.encoded))) for phrase in BANK if phrase.part is Part.ACTION
    }
    assert not any("person" in sentence or "people" in sentence for sentence in told)


def test_an_action_that_names_a_place_gets_no_second_one(composer):
    seen = (Subject(label="person", count=1),)
    shown = picture("a person walking across a square", "a kitchen", "a kitchen with white cupboards")
    moment = Moment(scene_D=shown, subjects=seen)
    assert composer.sentence(moment) == "a person walking across a square"


def test_vehicles_are_told_with_their_place(composer):
    seen = (Subject(label="car", count=3), Subject(label="truck", count=1))
    moment = Moment(scene_D=picture("a highway", "a highway with several lanes"), subjects=seen)
    assert composer.sentence(moment) == "three cars and a lorry on a highway"


def test_a_place_is_judged_with_what_is_around_the_moment(composer):
    seen = (Subject(label="car", count=1),)
    street = ("a street with parked cars", "a parking lot with cars")
    for place, told in (("a driveway", "a car on a driveway"), ("a car park", "a car in a car park")):
        shown = picture("a driveway", "a car park", *street)
        moment = Moment(scene_D=shown, around_D=picture(place, *street), subjects=seen)
        assert composer.sentence(moment) == told


def test_a_screen_of_text_is_told_by_its_words(composer):
    lines = ("10:45", "Settings of the network", "12.03.2024", "ok", "Wireless connections and their passwords")
    moment = Moment(scene_D=picture("a computer screen", "a settings page of a program"), lines=lines)
    told = composer.sentence(moment)
    assert told.endswith("with the words “Settings of the network” and “Wireless connections and their passwords”")


def test_what_stands_there_all_the_time_is_told_of_a_screen_and_of_nothing_else(composer):
    menu = ("Applications and places", "Preferences and system settings", "Accessories")
    screen = Moment(scene_D=picture("a computer screen"), standing=menu)
    assert "“Preferences and system settings”" in composer.sentence(screen)
    yard = Moment(scene_D=picture("a driveway in front of a house"), standing=menu)
    assert composer.sentence(yard) == "a driveway in front of a house"


def faint(words):
    """The vector of a picture that hardly looks like a phrase, and like no other."""
    vectors_PD = np.eye(D + 1, dtype=np.float32)[:D]
    shown = next(k for k, phrase in enumerate(BANK) if phrase.encoded == words)
    return Composer(vectors_PD), 0.25 * vectors_PD[shown] + np.eye(D + 1, dtype=np.float32)[D]


def test_nothing_particular_is_said_where_no_phrase_is_near():
    composer, scene_D = faint("a kitchen with white cupboards")
    around_D = np.zeros(D + 1, np.float32)
    rooms = [k for k, phrase in enumerate(BANK) if phrase.setting == "room" and phrase.part is Part.SCENE]
    around_D[rooms[:4]] = 1
    assert composer.sentence(Moment(scene_D=scene_D, around_D=around_D)) == "a room"
    seen = (Subject(label="person", count=2),)
    assert composer.sentence(Moment(scene_D=scene_D, around_D=around_D, subjects=seen)) == "two people in a room"


def test_an_encoder_with_other_cosines_says_the_same():
    """What the default encoder shows at a cosine of .45 another may show at .2; its belief is as high."""
    scale = {"id": "other:1", "dim": D, "normalised": True}
    other = EncoderSpec(**scale, midpoint=0.15, slope=99.0)
    usual = EncoderSpec(**scale, midpoint=0.235, slope=33.0)
    seen = (Subject(label="person", count=1),)
    words = (
        "a person reading a book",
        "a library",
        *(p.encoded for p in BANK if p.words.startswith("a library ")),
    )
    shown = [k for k, phrase in enumerate(BANK) if phrase.encoded in words]
    for spec, cosine, told in (
        (usual, 0.45, True),
        (usual, 0.25, False),
        (other, 0.22, True),
        (other, 0.15, False),
    ):
        vectors_PD = np.eye(D + 1, dtype=np.float32)[:D]
        scene_D = np.zeros(D + 1, np.float32)
        scene_D[shown] = cosine
        scene_D[D] = np.sqrt(1 - len(shown) * cosine**2)
        sentence = Composer(vectors_PD, spec).sentence(Moment(scene_D=scene_D, subjects=seen))
        assert ("reading a book" in sentence) == told


CARTOON = ("a cartoon landscape", "a cartoon tree", "a cartoon", "an illustration of a house")


def test_whom_a_detector_sees_in_a_drawing_is_a_figure(composer):
    seen = (Subject(label="person", count=1, colour="red"),)
    drawn = Moment(scene_D=picture(*CARTOON), subjects=seen)
    assert composer.sentence(drawn).startswith("a figure ")
    several = Moment(scene_D=picture(*CARTOON), subjects=(Subject(label="person", count=3),))
    assert composer.sentence(several).startswith("figures ")
    vehicle = Moment(scene_D=picture(*CARTOON), subjects=(Subject(label="car", count=1),))
    assert "figure" not in composer.sentence(vehicle)


def look(*colours, plainness=0.9, grey=False):
    return Look(colours=colours, plainness=plainness, grey=grey)


@pytest.mark.parametrize(
    ("colours", "told"),
    [
        ([("grey", 0.8), ("green", 0.15)], "a drawing in green on a grey background"),
        ([("grey", 0.9)], "a drawing on a grey background"),
        ([("grey", 0.99)], "a plain grey picture"),
        ([("white", 0.5), ("blue", 0.3)], "a drawing in white and blue"),
        ([], "a drawing in many colours"),
    ],
)
def test_a_plain_drawing_is_told_by_its_colours(composer, colours, told):
    assert composer.sentence(Moment(scene_D=picture(*CARTOON), look=look(*colours))) == told
    filmed = picture("a kitchen with white cupboards", "a kitchen counter with a sink")
    assert "kitchen" in composer.sentence(Moment(scene_D=filmed, look=look(*colours)))


def test_in_a_picture_without_colour_nobody_has_one(composer):
    seen = (Subject(label="person", count=1, colour="grey"),)
    shown = picture("a person reading a book", "a library", "a library with rows of books")
    old = Moment(scene_D=shown, subjects=seen, look=look(plainness=0.3, grey=True))
    assert composer.sentence(old) == "a person reading a book in a library"
    new = Moment(scene_D=shown, subjects=seen, look=look(plainness=0.3))
    assert composer.sentence(new) == "a person in grey reading a book in a library"


def test_who_goes_does_not_sit(composer):
    shown = picture("a person sitting on a bench", "a person walking in a park", "a park with trees and paths")
    for moves, word in ((True, "walking"), (False, "sitting")):
        seen = (Subject(label="person", count=1, moves=moves),)
        assert composer.sentence(Moment(scene_D=shown, subjects=seen)).startswith(f"a person {word}")


def test_without_a_picture_things_and_words_are_told(composer):
    seen = (Subject(label="person", count=1), Subject(label="bus", count=2))
    assert composer.sentence(Moment(scene_D=None, subjects=seen, lines=("EXIT HERE",))) == (
        "a person and two buses with the words “EXIT HERE”"
    )
    assert composer.sentence(Moment(scene_D=None, lines=("EXIT HERE",))) == "the words “EXIT HERE”"
    assert composer.sentence(Moment(scene_D=None)) == NOTHING_KNOWN
    assert Composer(None).sentence(Moment(scene_D=picture("a kitchen"), subjects=seen)) == "a person and two buses"


def test_the_phrase_that_its_neighbours_agree_on_is_said():
    """Three phrases that mean the same outweigh one that is a little nearer and alone."""
    kitchen = [k for k, phrase in enumerate(BANK) if phrase.part is Part.SCENE and "kitchen" in phrase.words][:3]
    piano = next(k for k, phrase in enumerate(BANK) if phrase.words == "a piano in a room")
    vectors_PD = np.eye(D, dtype=np.float32)
    vectors_PD[kitchen] += 3 * vectors_PD[kitchen[0]]
    vectors_PD /= np.linalg.norm(vectors_PD, axis=1, keepdims=True)
    scene_D = vectors_PD[kitchen].mean(0) + vectors_PD[piano]
    cosines = vectors_PD @ scene_D
    assert cosines[piano] > cosines[kitchen].max()  # the nearest alone would be the piano
    assert "kitchen" in Composer(vectors_PD).sentence(Moment(scene_D=scene_D))
