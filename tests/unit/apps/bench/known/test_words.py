"""Questions about words, scored on clips whose notes are known."""

import json
from contextlib import contextmanager

import numpy as np

from hippocam.apps.bench.known.words import Read, run, table
from hippocam.memory.memory import Memory
from hippocam.stream.records import Embedding, EncoderSpec, Note

SPEC = EncoderSpec(id="test:1", dim=8, normalised=True, midpoint=0.5, slope=20.0)
NOTES = [(1.0, "it is free"), (7.0, "goodbye")]


@contextmanager
def session(folder, /, *, encoder=None, settings=None):
    """Writes notes where another would watch."""

    class Watching:
        def watch(self, sources):
            with Memory.open_writer(folder, encoder="test", spec=SPEC) as memory:
                memory.begin("clip", uri="/x")
                memory.write(
                    [Note(stream="clip", kind="subtitle", t0_s=t, t1_s=t + 1, text=text) for t, text in NOTES]
                )
                vector = np.eye(8, dtype=np.float32)[0]
                memory.write([Embedding(stream="clip", seq=0, time_s=0.0, vector=vector)])
                memory.finish("clip")

    yield Watching()


class Alike:
    """Takes "costs nothing" for "it is free"."""

    def likeness(self, text, others):
        return np.array([float((text, other) == ("costs nothing", "it is free")) for other in others], np.float32)


def test_the_best_note_is_right_within_its_times_and_alarms_are_counted(tmp_path):
    (tmp_path / "clip.mp4").touch()
    asked = [
        {"question": "When does the text say that it costs nothing?", "shown": [[0.5, 2.5]]},
        {"question": 'When does it say "goodbye"?', "shown": [[40, 50]]},
    ]
    never = ["When does the text say goodbye?", "When does the text speak of trains?"]
    clip = {"video": "clip.mp4", "half": "report", "asked": asked, "never": never}
    (tmp_path / "q.json").write_text(json.dumps({"tolerance_s": 1, "clips": [clip, {**clip, "video": "no.mp4"}]}))
    by_words, by_meaning = run(tmp_path / "q.json", tmp_path, Alike(), open_session=session)
    same = {"half": "report", "questions": 2, "never": 2, "alarms": 1}
    assert by_words == Read(way="words", first=0, believed=0, **same)
    assert by_meaning == Read(way="words and meaning", first=1, believed=1, **same)
    assert "| report | words and meaning | 2 | 1 | 1 | 2 | 1 |" in table([by_words, by_meaning])
