import threading
import time

import numpy as np

from hippocam.stream.chunks import ahead, chunks, woven
from hippocam.stream.records import Frame, Note, Repeat


def card(level):
    return np.full((90, 160, 3), level, np.uint8)


def note(t0_s):
    return Note(stream="cam", kind="speech", t0_s=t0_s, t1_s=t0_s, text=f"at {t0_s}")


def test_notes_stand_before_the_first_later_frame():
    frames = [Repeat(stream="cam", seq=k, time_s=float(k)) for k in range(4)]
    known = [(0.5, note(0.2)), (0.7, note(0.7)), (2.0, note(2.0)), (9.0, note(9.0))]
    mixed = [item.text if isinstance(item, Note) else item.seq for item in woven(frames, known)]
    assert mixed == [0, "at 0.2", "at 0.7", 1, 2, "at 2.0", 3, "at 9.0"]
    later = [item.text for item in woven(frames, known, after_s=2.0) if isinstance(item, Note)]
    assert later == ["at 2.0", "at 9.0"]  # what was known before was written by an earlier watch


def test_notes_do_not_move_the_cuts_of_chunks():
    frames = [Frame(stream="cam", seq=k, time_s=float(k), image=card(k)) for k in range(20)]
    known = [(k + 0.5, note(k + 0.5)) for k in range(20)]
    plain = [[f.seq for f in chunk] for chunk in chunks(frames, 8)]
    mixed = [[f.seq for f in chunk if isinstance(f, Frame)] for chunk in chunks(woven(frames, known), 8)]
    assert mixed == [*plain[:2], plain[2]]


def test_ahead_is_bounded_and_stops_with_its_consumer():
    made = []

    def items():
        for n in range(1000):
            made.append(n)
            yield n

    feed = ahead(items(), depth=3)
    assert next(feed) == 0
    time.sleep(0.3)
    assert len(made) <= 6  # one taken, three ready, one being handed over
    feed.close()
    assert not [t for t in threading.enumerate() if t.name == "hippocam-decode"]
