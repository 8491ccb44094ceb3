from dataclasses import fields

import numpy as np

from hippocam.stream.sources.decode import packet_index
from hippocam.stream.sources.decode.packet_index import build_index, load_index, save_index, shared_index


def test_an_index_that_is_read_is_what_was_written(tmp_path, media):
    media.render_video(tmp_path / "a.mkv", frames=50, sound_s=1.0)
    index = build_index(tmp_path / "a.mkv", "a")
    save_index(index, tmp_path / "index.npz")
    read_back = load_index(tmp_path / "index.npz")
    for field in fields(index):
        was, now = getattr(index, field.name), getattr(read_back, field.name)
        assert type(was) is type(now)
        assert np.array_equal(was, now)


def test_a_shared_index_is_built_once(tmp_path, media, monkeypatch):
    media.render_video(tmp_path / "a.mp4", frames=50)
    path, file = tmp_path / "a.mp4", tmp_path / "work" / "index.npz"
    first = shared_index(path, "a", file)
    shared_index.cache_clear()  # as in another process
    monkeypatch.setattr(packet_index, "build_index", None)
    assert np.array_equal(shared_index(path, "a", file).times_s, first.times_s)
