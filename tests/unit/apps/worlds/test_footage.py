from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from hippocam.apps.worlds.footage import describe, real
from hippocam.apps.worlds.footage_plan import Recipe, find_clips, plan
from hippocam.apps.worlds.footage_pool import cache_root, read_pool
from hippocam.apps.worlds.footage_views import SPOILS, View, chance, pan, random_view, spoil
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.models.training import captions
from hippocam.stream.errors import HippocamError

TINY = Recipe(
    hours=0.04, needles=4, absent=3, photographs=8, entities=2, visits=5, distractors=7,
    burst_s=(2, 4), segment_s=(4, 8), gap_s=2,
)  # fmt: skip
TEST_CLIPS, TRAIN_CLIPS = ("walk.mp4", "house.mp4"), ("driveway_prius.mp4", "sintel_trailer.mp4")


class CountingEncoder(PaletteEncoder):
    def __init__(self):
        self.pictures = self.texts = 0

    def encode_images(self, images):
        self.pictures += len(images)
        return super().encode_images(images)

    def encode_texts(self, texts):
        self.texts += len(texts)
        return super().encode_texts(texts)


def write_photographs(folder, count, first):
    (folder / "images").mkdir(parents=True)
    lines = []
    for number in range(first, first + count):
        picture = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
        cv2.imwrite(str(folder / "images" / f"{number:03}.png"), cv2.resize(picture, (48, 48), interpolation=0))
        lines += [f"images/{number:03}.png\ta red thing, {number}\n", f"images/{number:03}.png\tsomething blue\n"]
    (folder / "captions.tsv").write_text("".join(lines))


@pytest.fixture(scope="module")
def home(tmp_path_factory, media):
    """Clips and photographs below `data`, and a cache beside them that the tests of this module share."""
    home = tmp_path_factory.mktemp("footage")
    (home / "data" / "video").mkdir(parents=True)
    for name, seconds in zip((*TEST_CLIPS, *TRAIN_CLIPS), (12, 9, 10, 11), strict=True):
        media.render_video(home / "data" / "video" / name, frames=seconds * 4, fps=4)
    media.render_video(home / "data" / "video" / "too_short.mp4", frames=8, fps=4)
    (home / "data" / "MANIFEST.tsv").write_text("file\tlicence\nvideo/walk.mp4\tCC BY 4.0\n")
    write_photographs(home / "data" / "images" / "flickr8k", 50, 0)
    write_photographs(home / "data" / "images" / "coco_val_248", 5, 100)
    return home


@pytest.fixture(autouse=True)
def small_world(home, monkeypatch):
    monkeypatch.setenv("HIPPOCAM_CACHE", str(home / "cache"))
    monkeypatch.setattr(captions, "TEST_PHOTOS", 12)
    monkeypatch.setattr(captions, "HELD_OUT_PHOTOS", 14)


@pytest.fixture
def world(home):
    def draw(seed=0, split="test", **more):
        encoder = more.pop("encoder", None) or PaletteEncoder()
        recipe = more.pop("recipe", TINY)
        return real(seed, split=split, videos=home / "data", encoder=encoder, recipe=recipe, **more)

    return draw


def rows_of(vectors):
    return {row.tobytes() for row in vectors}


def test_what_is_planted_lies_exactly_in_its_interval(home, world):
    made = world()
    pool = read_pool("test", TINY, home / "data", PaletteEncoder())
    footage = rows_of(np.concatenate([rows for shot, rows in pool.shots if not shot.spoiled]))
    shown = {
        "needle": [burst for photograph in pool.photographs for burst in photograph.bursts],
        "entity": [burst for pair in pool.entities for photograph in pair for burst in photograph.bursts],
        "distractor": [rows for shot, rows in pool.shots if shot.spoiled],
    }
    inside = np.zeros(len(made.frames_TD), bool)
    for planted in made.planted:
        span = slice(int(planted.t0_s), int(planted.t1_s))
        inside[span] = True
        assert any(np.array_equal(made.frames_TD[span], burst) for burst in shown[planted.kind])
    assert rows_of(made.frames_TD[~inside]) <= footage
    assert not rows_of(made.frames_TD[inside]) & footage
    assert sum(frames for _, _, frames in made.visits) == (~inside).sum()


def test_counts_length_and_vectors_are_the_recipes(world):
    made = world()
    assert len(made.frames_TD) == len(made.times_T) == 144
    assert [len(made.of_kind(kind)) for kind in ("needle", "entity", "distractor")] == [4, 5, 7]
    assert sorted(p.identity for p in made.of_kind("entity")) == [0, 0, 0, 1, 1]
    assert made.frames_TD.dtype == np.float32
    vectors = [*made.frames_TD, *made.absent_QD, *(p.query_D for p in made.planted), *made.captions.values()]
    np.testing.assert_allclose([np.linalg.norm(vector) for vector in vectors], 1, atol=1e-5)
    assert set(made.captions) == {(p.kind, p.identity) for p in made.planted if p.kind != "distractor"}
    assert made.absent_QD.shape == made.absent_captions_QD.shape == (3, made.dim)


def test_bursts_never_overlap_and_footage_lies_between_them(world):
    for seed in range(5):
        planted = world(seed).planted
        assert all(b.t0_s - a.t1_s >= TINY.gap_s for a, b in pairwise(planted))


def test_a_seed_gives_the_same_world_again_and_another_seed_another(world):
    one, again, other = world(3), world(3), world(4)
    assert np.array_equal(one.frames_TD, again.frames_TD)
    assert [(p.kind, p.identity, p.t0_s) for p in one.planted] == [
        (p.kind, p.identity, p.t0_s) for p in again.planted
    ]
    assert not np.array_equal(one.frames_TD, other.frames_TD)
    assert rows_of(p.query_D for p in one.of_kind("needle")) != rows_of(p.query_D for p in other.of_kind("needle"))


def test_what_is_absent_is_not_shown(world):
    made = world()
    assert not rows_of(made.absent_QD) & rows_of(p.query_D for p in made.planted)


def test_train_and_test_share_no_clip_and_no_photograph(home):
    pools = {split: read_pool(split, TINY, home / "data", PaletteEncoder()) for split in ("test", "train")}
    clips = {split: {shot.clip for shot, _ in pool.shots} for split, pool in pools.items()}
    assert clips == {
        "test": {f"video/{name}" for name in TEST_CLIPS},
        "train": {f"video/{name}" for name in TRAIN_CLIPS},
    }
    files = {
        split: {p.file for p in pool.photographs} | {p.file for pair in pool.entities for p in pair}
        for split, pool in pools.items()
    }
    assert [len(names) for names in files.values()] == [12, 12]
    assert not files["test"] & files["train"]
    flickr = {split: {p.name for p in names if p.parts[-3] == "flickr8k"} for split, names in files.items()}
    assert min(flickr["test"]) >= "038.png"  # of 50, the 12 that sort last
    assert max(flickr["train"]) < "038.png"


def test_a_question_is_no_frame_of_its_burst(world):
    made = world()
    for planted in made.of_kind("needle"):
        assert planted.query_D.tobytes() not in rows_of(made.frames_TD)


def test_the_encoder_is_asked_once(tmp_path, monkeypatch, world, capsys):
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path))
    first, second = CountingEncoder(), CountingEncoder()
    made = world(encoder=first)
    assert first.pictures > 144
    assert first.texts == 12
    assert "encoding footage" in capsys.readouterr().err
    again = world(encoder=second)
    assert second.pictures == second.texts == 0
    assert capsys.readouterr().err == ""
    assert np.array_equal(made.frames_TD, again.frames_TD)
    assert {file.suffix for file in cache_root().iterdir()} == {".npz"}


def test_an_interrupted_encoding_goes_on_where_it_was(tmp_path, monkeypatch, world):
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path))
    whole = CountingEncoder()
    world(encoder=whole)
    (oldest, *_) = sorted(cache_root().iterdir(), key=lambda file: file.stat().st_mtime_ns)
    oldest.unlink()
    rest = CountingEncoder()
    world(encoder=rest)
    assert 0 < rest.pictures < whole.pictures / 2 + 50


def test_fewer_hours_have_fewer_of_everything(world):
    made = world(hours=0.02)
    assert len(made.frames_TD) == 72
    assert [len(made.of_kind(kind)) for kind in ("needle", "entity", "distractor")] == [2, 2, 4]


@pytest.mark.parametrize("hours", [0, -1, 0.05])
def test_hours_out_of_range_are_refused(world, hours):
    with pytest.raises(ValueError, match="hours must be above 0 and up to 0.04"):
        world(hours=hours)


def test_a_missing_folder_is_told_with_its_fix(tmp_path):
    with pytest.raises(HippocamError, match="no footage at .*nowhere.* --videos DIR"):
        real(0, videos=tmp_path / "nowhere", encoder=PaletteEncoder(), recipe=TINY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hours": 2.0}, "2 clips give .* s of footage where .* --videos DIR"),
        ({"photographs": 40}, "photographs for test where .* are needed: .* --videos DIR"),
    ],
)
def test_a_folder_with_too_little_is_told_with_its_fix(world, change, message):
    with pytest.raises(HippocamError, match=message):
        world(recipe=replace(TINY, **change))


def test_a_folder_without_photographs_is_told_with_its_fix(home, tmp_path):
    for clip in (home / "data" / "video").iterdir():
        (tmp_path / clip.name).symlink_to(clip)
    with pytest.raises(HippocamError, match="no photographs at .*flickr8k.* --videos DIR"):
        real(0, videos=tmp_path, encoder=PaletteEncoder(), recipe=TINY)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"photographs": 6}, "photographs must be needles"), ({"visits": 3}, "visits must be 2 x entities")],
)
def test_an_impossible_recipe_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **wrong)


@pytest.mark.parametrize(("entities", "visits"), [(25, 120), (10, 42), (1, 2), (3, 6), (0, 0)])
def test_visits_fall_with_the_rank_and_add_up(entities, visits):
    counts = Recipe(entities=entities, visits=visits).visits_by_rank()
    assert sum(counts) == visits
    assert counts == sorted(counts, reverse=True)
    assert all(count >= 2 for count in counts)


def test_a_long_clip_does_not_drown_the_others(home):
    clips = [clip for clip in find_clips(home / "data") if clip.split == "test"]
    seconds = {clip.name: 0 for clip in clips}
    for shot in plan(clips, TINY):
        seconds[shot.clip] += 0 if shot.spoiled else shot.seconds
    assert max(seconds.values()) - min(seconds.values()) <= 12


def test_every_planned_second_has_a_vector_even_where_a_recording_stands_still(home, tmp_path, media, monkeypatch):
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "cache"))
    for path in ("images/flickr8k", "images/coco_val_248", "video/house.mp4"):
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / path).symlink_to(home / "data" / path)
    gap = [0.0, 0.25, 0.5, 5.0, 5.25, 11.75, 12.0]
    media.render_video(tmp_path / "data" / "video" / "screen.mkv", times_s=gap)
    pool = read_pool("test", TINY, tmp_path / "data", PaletteEncoder())
    assert all(len(rows) == shot.seconds for shot, rows in pool.shots)


def test_clips_that_are_not_needed_are_left_out(home):
    few = replace(TINY, hours=0.004, needles=1, absent=1, entities=1, visits=2, distractors=1)
    pool = read_pool("test", few, home / "data", PaletteEncoder())
    assert {shot.clip for shot, _ in pool.shots} == {"video/house.mp4"}


def test_photographs_that_the_encoder_learned_from_are_never_taken(world, monkeypatch):
    monkeypatch.setattr(captions, "TEST_PHOTOS", 1000)
    with pytest.raises(HippocamError, match="0 photographs for train where 12 are needed"):
        world(split="train")


def test_the_description_tells_seconds_variants_and_licences(home):
    text = describe(home / "data", {"test": TINY})
    assert "21 s of unique footage in 2 clips" in text
    assert "| video/walk.mp4 | 12 |" in text
    assert "| CC BY 4.0 |" in text
    assert "| not stated |" in text
    assert "too_short" not in text


def test_a_view_shows_its_part_mirrored_in_its_light():
    image = np.zeros((10, 20, 3), np.uint8)
    image[:, 10:] = 100
    assert View(size=0.5).of(image).max() == 0
    assert View(left=0.5, size=0.5, gains=(1.0, 2.0, 0.5), offset=1.0).of(image)[0, 0].tolist() == [101, 201, 51]
    assert View(mirrored=True).of(image)[0, 0].tolist() == [100, 100, 100]
    assert np.array_equal(View().of(image), image)


def test_a_pan_goes_from_one_part_to_another_in_one_light():
    rng = chance("a name")
    a, b = (random_view(rng, (0.7, 0.9), 0.2, mirrored=False) for _ in range(2))
    views = pan(a, b, 5)
    assert views[0] == a
    assert (views[-1].left, views[-1].top, views[-1].size) == (b.left, b.top, b.size)
    assert {view.gains for view in views} == {a.gains}


@pytest.mark.parametrize("kind", SPOILS)
def test_spoiled_pictures_keep_their_size_and_depend_on_chance_alone(kind):
    image = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
    one, again, other = (spoil(image, kind, chance(name)) for name in ("a", "a", "b"))
    assert one.dtype == np.uint8
    assert one.shape in {
        (30, 50, 3),
        (256, 256, 3),
    }  # torn blocks come as a square, which the encoders want anyway
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(cv2.resize(one, (50, 30)), image)


def test_an_unknown_way_of_spoiling_is_refused():
    with pytest.raises(ValueError, match="kind must be one of covered"):
        spoil(np.zeros((8, 8, 3), np.uint8), "rotten", chance("a"))
