import pickle

import numpy as np
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.records import Embedding, Frame, Observation, Repeat, Sensors

PICTURE = np.zeros((4, 6, 3), np.uint8)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: Frame(stream="s", seq=0, time_s=0, image=PICTURE.astype(np.float32)), "float32"),
        (lambda: Frame(stream="s", seq=0, time_s=0, image=PICTURE[..., 0]), r"\(4, 6\)"),
        (lambda: Frame(stream="s", seq=-1, time_s=0, image=PICTURE), "-1"),
        (lambda: Repeat(stream="s", seq=0, time_s=float("nan")), "nan"),
        (lambda: Observation(seq=0, time_s=0, images={"left": "no picture"}), "str"),
        (lambda: Sensors(pose=np.zeros(6, np.float32)), r"\(6,\)"),
        (lambda: Sensors(state=np.zeros(6)), "float64"),
        (lambda: Sensors(action=np.array([0, np.nan], np.float32)), "nan"),
        (lambda: Sensors(pose=np.full(7, np.inf)), "inf"),
        (lambda: Embedding(stream="s", seq=0, time_s=0, vector=np.zeros((2, 3), np.float32)), r"\(2, 3\)"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_found(make, found):
    with pytest.raises(ValueError, match=f"found {found}|found.*{found}"):
        make()


def test_errors_survive_the_way_between_processes():
    error = pickle.loads(pickle.dumps(SourceError("a.mp4", "is empty")))
    assert (error.uri, error.reason, str(error)) == ("a.mp4", "is empty", "a.mp4: is empty")
