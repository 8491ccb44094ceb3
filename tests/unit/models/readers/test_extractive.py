from hippocam.memory.records import Evidence
from hippocam.models.readers.extractive import ExtractiveReader


def moment(t0_s, t1_s, score, stream="cam", labels=()):
    return Evidence(
        id=f"{stream}{t0_s}",
        stream=stream,
        t0_s=t0_s,
        t1_s=t1_s,
        score=score,
        why="",
        image="",
        frame_s=t0_s,
        labels=labels,
    )


def read(*evidence):
    return ExtractiveReader().read("When?", evidence)


def test_the_best_moment_is_stated_with_its_source():
    reading = read(moment(83, 91, 0.9, labels=("sports car",)), moment(10, 12, 0.2))
    assert reading.answer == "Best match: 1:23 to 1:31 in cam (belief 90%), which looks like sports car."
    assert reading.evidence_ids == ("cam83",)


def test_moments_without_a_gap_are_told_as_one_and_all_are_cited():
    reading = read(moment(10, 20, 0.9), moment(30, 40, 0.88), moment(20, 25, 0.85), moment(0, 10, 0.3))
    assert "0:10 to 0:25 in cam" in reading.answer
    assert "Also likely: 0:30 to 0:40 in cam." in reading.answer
    assert reading.evidence_ids == ("cam10", "cam30", "cam20")


def test_the_same_time_in_another_stream_is_another_moment():
    reading = read(moment(10, 20, 0.9), moment(15, 25, 0.9, stream="door"))
    assert "0:10 to 0:20 in cam" in reading.answer
    assert "0:15 to 0:25 in door" in reading.answer


def test_weak_or_no_evidence_is_not_seen():
    weak = read(moment(10, 20, 0.49))
    assert weak.unknown
    assert "Not seen" in weak.answer
    assert weak.evidence_ids == ()
    assert read().unknown
