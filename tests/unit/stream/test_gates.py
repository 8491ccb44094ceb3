import numpy as np

from hippocam.stream.gate import GateConfig
from hippocam.stream.gates import Gates, split
from hippocam.stream.reading_gate import ReadingConfig
from hippocam.stream.records import Frame, Observation, Repeat


def picture(colour, size=(90, 160)):
    return np.full((*size, 3), colour, np.uint8)


RED, BLUE = picture((220, 30, 30)), picture((40, 80, 210))


def test_every_camera_is_gated_by_itself():
    images = [{"left": RED, "right": BLUE}, {"left": RED, "right": RED}]
    seen = [Observation(seq=k, time_s=k / 2, images=both) for k, both in enumerate(images)]
    items = list(split("rig", seen, Gates(GateConfig())))
    assert [(i.stream, i.seq, type(i)) for i in items] == [
        ("rig/left", 0, Frame),
        ("rig/right", 0, Frame),
        ("rig/left", 1, Repeat),
        ("rig/right", 1, Frame),
    ]


def test_a_stream_that_is_restarted_begins_with_a_new_frame():
    gates = Gates(GateConfig(), ReadingConfig())
    seen = [gates.see("door", 0, 0.0, RED), gates.see("yard", 0, 0.0, RED), gates.see("door", 1, 0.5, RED)]
    gates.restart("door")
    seen += [gates.see("door", 2, 1.0, RED), gates.see("yard", 1, 1.0, RED)]
    assert [type(item) for item in seen] == [Frame, Frame, Repeat, Frame, Repeat]
    assert [item.read for item in seen if isinstance(item, Frame)] == [True, True, True]


def test_a_mark_counts_as_change_and_waits_for_a_camera_that_has_no_picture_then():
    both = {"left": RED, "right": RED}
    seen = [Observation(seq=k, time_s=k / 2, images=both) for k in range(2)]
    seen.append(Observation(seq=2, time_s=1.0, images={"left": RED}, mark="another task"))
    seen += [Observation(seq=k, time_s=k / 2, images=both) for k in (3, 4)]
    items = list(split("rig", seen, Gates(GateConfig())))
    marked = [(item.stream, item.seq) for item in items if isinstance(item, Frame) and item.mark == "another task"]
    assert marked == [("rig/left", 2), ("rig/right", 3)]
    assert all(isinstance(item, Repeat) for item in items[2:] if (item.stream, item.seq) not in marked)
