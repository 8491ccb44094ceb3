"""Events do not depend on how a stream is split into writes; nothing is cut where nothing happens."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hippocam.memory.memory import Memory
from hippocam.memory.records import Event
from hippocam.memory.working.working import WorkingConfig, WorkingMemory
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.gate import GateConfig
from hippocam.stream.gates import Gates, split
from hippocam.stream.records import Embedding, EncoderSpec, Frame, Observation, Repeat
from hippocam.stream.sources.video import VideoSource

SPEC = EncoderSpec(id="test", dim=8, normalised=True, midpoint=0.3, slope=20.0)
TABLES = ("entry", "stream", "place", "journal")


def make_items(scenes):
    """Frames of a scene by number, None for a repeat, a second apart but where a gap is named."""
    rng, items, time_s = np.random.default_rng(5), [], 0.0
    for seq, (scene, gap_s) in enumerate(scenes):
        time_s += gap_s
        if scene is None:
            items.append(Repeat(stream="cam", seq=seq, time_s=time_s))
            continue
        vector = np.eye(8, dtype=np.float32)[scene] + 0.05 * rng.normal(size=8).astype(np.float32)
        vector /= np.linalg.norm(vector)
        items.append(Embedding(stream="cam", seq=seq, time_s=time_s, vector=vector, jpeg=b"x" * 50))
    return items


def closed(items, config=None):
    working = WorkingMemory("cam", config)
    return [e for item in items for e in working.push(item)] + list(working.flush())


scene = st.one_of(st.none(), st.integers(0, 3))
streams = st.lists(st.tuples(scene, st.sampled_from([1.0, 1.0, 1.0, 0.2, 40.0])), min_size=1, max_size=60)


@settings(max_examples=12, deadline=None)
@given(stream=streams, data=st.data())
def test_events_do_not_depend_on_how_the_stream_is_split_into_writes(tmp_path_factory, stream, data):
    items = make_items(stream)
    splits = [data.draw(st.lists(st.integers(1, 20), min_size=0, max_size=10), label="sizes") for _ in range(2)]
    held = []
    for sizes in ([], *splits):
        folder = tmp_path_factory.mktemp("m") / "m"
        with Memory.open_writer(folder, encoder="test", spec=SPEC) as memory:
            memory.begin("cam", uri="/x/cam.mp4")
            rest = iter(items)
            for size in itertools.chain(sizes, itertools.repeat(max(1, len(items)))):
                if not (part := list(itertools.islice(rest, size))):
                    break
                memory.write(part)
            memory.finish("cam")
        with closing(sqlite3.connect(f"file:{folder}/memory.db?mode=ro", uri=True)) as db:
            held.append([db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in TABLES])
    assert held[0] == held[1] == held[2]


@settings(max_examples=50, deadline=None)
@given(stream=streams, onset=st.sampled_from([0.0, 0.5, 1.0]))
def test_events_are_in_order_hold_their_frames_and_leave_no_item_out(stream, onset):
    items = make_items(stream)
    made = closed(items, WorkingConfig(onset=onset))
    assert sum((e.frames if isinstance(e, Event) else 0) + e.repeats for e in made) == len(items)
    for one, other in itertools.pairwise(made):
        assert one.t0_s <= one.t1_s <= other.t0_s <= other.t1_s
    for event in (e for e in made if isinstance(e, Event)):
        assert event.t0_s <= event.frame_s <= event.known_s <= event.t1_s


def watched(pictures, order, gate):
    """A second each of pictures in some order, through the gate; each picture is encoded once."""
    vectors_ND = PaletteEncoder().encode_images(pictures).vectors_ND
    vector_of = {id(picture): vector for picture, vector in zip(pictures, vectors_ND, strict=True)}
    shown = (Observation(seq=k, time_s=float(k), images={"": pictures[n]}) for k, n in enumerate(order))
    for item in split("cam", shown, Gates(gate)):
        if isinstance(item, Frame):
            yield Embedding(stream="cam", seq=item.seq, time_s=item.time_s, vector=vector_of[id(item.image)])
        else:
            yield item


def test_an_hour_of_a_noisy_still_scene_has_no_cut():
    """Sensor noise of 4 grey levels, as a cheap camera has it in the dark; with the gate and without."""
    rng = np.random.default_rng(7)
    still = rng.integers(0, 256, (18, 24, 3)).repeat(2, 0).repeat(2, 1)
    noisy = [np.clip(still + rng.normal(0, 4, still.shape), 0, 255).astype(np.uint8) for _ in range(100)]
    hour = rng.integers(0, len(noisy), 3600)
    for gate, frames in ((GateConfig(), 1), (GateConfig(level=1, area=0.0), 3500)):
        items = list(watched(noisy, hour, gate))
        assert sum(isinstance(item, Embedding) for item in items) in range(frames, frames + 101)
        events = [e for e in closed(items) if isinstance(e, Event)]
        assert not [e.cut for e in events if e.cut.startswith("surprise")]


def test_a_looped_static_clip_has_no_cut(shared_data):
    """A driveway from 32 s on: leaves move, light changes, nothing happens (annotated by eye)."""
    source = VideoSource(shared_data / "video/cctv/driveway_prius_60s.mov", longest_px=160)
    quiet = [seen.images[""] for seen in source.observations(fps=1.0) if 32 <= seen.time_s < 60]
    assert len(quiet) == 28
    there_and_back = [*range(28), *range(26, 0, -1)]  # so that the loop's ends are no cut
    events = [
        e for e in closed(watched(quiet, (34 * there_and_back)[:1800], GateConfig())) if isinstance(e, Event)
    ]
    assert events
    assert not [e.cut for e in events if e.cut.startswith("surprise")]


def test_a_change_between_two_frames_can_be_put_half_way():
    items = make_items([(0, 1.0)] * 4 + [(1, 1.0)] * 3 + [(None, 1.0)] * 12 + [(2, 1.0)] * 3)
    at_frame = [(e.t0_s, e.t1_s) for e in closed(items)]
    half_way = [(e.t0_s, e.t1_s) for e in closed(items, WorkingConfig(onset=0.5))]
    assert at_frame == [(1, 5), (5, 15), (15, 20), (20, 22)]
    assert half_way == [(1, 4.5), (4.5, 15), (15, 19.5), (19.5, 22)]  # what was cut by length stays


def test_a_restored_stream_begins_its_next_event_where_it_would_have():
    items = make_items([(n // 4 % 3, 1.0) for n in range(40)])
    config = WorkingConfig(onset=0.5)
    whole = closed(items, config)
    for stop in (1, 4):
        working = WorkingMemory("cam", config)
        feed = (event for item in items for event in working.push(item))
        first, places = [], {}
        for _ in range(stop):
            first.append(next(feed))
            change = working.state().change
            places[change.place.number] = change.place
        again = WorkingMemory("cam", config)
        again.restore(working.state().blob, list(places.values()))
        rest = [e for i in items if i.seq > first[-1].last_seq for e in again.push(i)] + list(again.flush())
        assert [(e.t0_s, e.t1_s) for e in first + rest] == [(e.t0_s, e.t1_s) for e in whole]


def test_a_wrong_onset_is_named():
    with pytest.raises(ValueError, match="working.onset must be 0 to 1, found 2"):
        WorkingConfig(onset=2)


def test_a_film_is_cut_where_its_maker_cut_it_and_at_that_time():
    items = make_items([(0, 1.0)] * 6)
    similar = items[0].vector + 0.7 * make_items([(1, 1.0)])[0].vector
    similar /= np.linalg.norm(similar)
    items[3:] = [replace(item, vector=similar) for item in items[3:]]
    plain = [(event.t0_s, event.t1_s) for event in closed(items, WorkingConfig(min_frames=6))]
    assert plain == [(1, 6)]
    items[3] = replace(items[3], cut_s=3.25)
    cut = closed(items, WorkingConfig(min_frames=6))
    assert [(event.t0_s, event.t1_s) for event in cut] == [(1, 3.25), (3.25, 6)]
    assert cut[0].cut == "cut at 3.25 s"
    # what looks the same goes on: a flash is no other picture
    items[4] = replace(items[4], cut_s=4.5)
    assert len(closed(items, WorkingConfig(min_frames=6))) == 2


def test_an_event_begins_at_a_mark_whatever_is_seen():
    items = make_items([(0, 1.0)] * 6)
    items[1] = replace(items[1], mark="another task")
    events = closed(items)
    assert [(event.t0_s, event.t1_s, event.cut) for event in events] == [(1, 2, "another task"), (2, 6, "end")]
