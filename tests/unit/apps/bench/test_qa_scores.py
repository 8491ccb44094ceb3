"""The scorers against figures worked out by hand from the benchmarks' definitions."""

import json

import pytest

from hippocam.apps.bench.qa.files import read_file
from hippocam.apps.bench.qa.items import QaItem
from hippocam.apps.bench.qa.options import chosen_option, free_match, without_letter
from hippocam.apps.bench.qa.predictions import llm_match, score_file
from hippocam.apps.bench.qa.retrieval import (
    Query,
    average_precision,
    best_iou,
    brief,
    chance,
    overlaps,
    qvhighlights,
)
from hippocam.apps.bench.qa.summary import Outcome, summarise
from hippocam.apps.errors import QuestionFileError

OPTIONS = ("a red cup", "a blue cup", "a cup", "Unable to answer")


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("B", 1), ("b", 1), ("(B)", 1), ("B.", 1), ("B. a red cup, no: blue", 1), ("B) it is blue", 1),
        ("**B**", 1),
        ("The answer is B", 1), ("The best answer is (B) since it is blue.", 1), ("Option B", 1), ("Answer: B", 1),
        ("B [E2].", 1), ("A [1] (inference).", 0), ("a blue cup", 1), ("It was a blue cup [2].", 1), ("A cup.", 2),
        ("a red cup or a blue cup", None), ("I do not know", None), ("E", None), ("", None),
        ("Unable to answer.", 3), ("A blue cup stands there", 1), ("D because nothing was seen", 3),
    ],
)  # fmt: skip
def test_an_option_is_named_by_letter_or_text(said, place):
    assert chosen_option(said, OPTIONS) == place


def test_the_letter_before_an_option_is_taken_off():
    written = ("A. Cards", "B.A cup", "(C) c", "D) d", "Wang chuqin.", "2.", "A man.")
    bare = ["Cards", "A cup", "c", "d", "Wang chuqin.", "2.", "A man."]
    assert [without_letter(option) for option in written] == bare


@pytest.mark.parametrize(
    ("said", "right", "score"),
    [
        ("3", "3", 1), ("Three people [1]", "3", 1), ("Seen twice: 0:05 to 0:07", "2", 1), ("Four", "3", 0),
        ("Best match: 0:00 to 0:06 (belief 93%)", "0", 0), ("about 40% of 5", "5", 1), ("in cam3", "3", 0),
        ("in one_by_one", "1", 0),
        ("3 (left at 7 s, right at 32 s)", "3 (at about 7 s and 32 s)", 1),
        ("The right one.", "the right one", 1), ("a man in a black jacket", "the woman", 0), ("", "yes", 0),
        ("a white table", "a white round table", 0.8),
    ],
)  # fmt: skip
def test_free_answers_match_by_number_or_by_words(said, right, score):
    assert free_match(said, right) == pytest.approx(score)


def test_the_best_of_several_right_answers_counts():
    assert free_match("a sofa", "the couch", ["sofa"]) == 1


def test_iou_and_overlap():
    assert best_iou((0, 10), [(5, 15), (20, 30)]) == pytest.approx(5 / 15)
    assert best_iou((3, 3), [(3, 3)]) == 0
    assert overlaps((0, 5), [(4, 6)])
    assert not overlaps((0, 5), [(5, 6)])


def test_chance_of_random_moments_of_the_same_length():
    # A moment of 2 s anywhere in 20 s overlaps [9, 11] when it starts in (7, 11), of 18 s.
    first, five, iou = chance([2, 2], [(9, 11)], 20)
    assert first == pytest.approx(4 / 18, abs=0.01)
    assert five == pytest.approx(1 - (1 - first) ** 2)
    # The mean over starts of x / (4 - x), x from 0 to 2 s and back: 2 (4 ln 2 - 2) / 18.
    assert iou == pytest.approx(2 * (4 * 0.6931 - 2) / 18, abs=0.005)
    assert chance([30], [(9, 11)], 20)[0] == 1
    assert chance([], [(9, 11)], 20) == (0, 0, 0)


def test_average_precision_takes_each_window_once_and_the_best_score_first():
    query = Query(found=[(0, 10, 0.2), (0, 9, 0.9), (50, 60, 0.8), (20, 30, 0.7)], windows=[(0, 10), (20, 30)])
    # By score: [0, 9] takes the first window (IoU 0.9), [50, 60] none, [20, 30] the second, [0, 10] none is free.
    assert average_precision(query, [0.5]) == pytest.approx([0.5 * 1 + 0.5 * 2 / 3])
    # At 0.95 [0, 9] is wrong, so [0, 10] takes its window, last: precision 1/3 and 2/4, interpolated 1/2 both.
    assert average_precision(query, [0.95]) == pytest.approx([0.5])
    assert average_precision(Query(found=[(90, 95, 1.0)] * 10 + [(0, 10, 2.0)], windows=[(0, 10)]), [0.5]) == [0]


def test_qvhighlights_figures_are_percent_by_iou_and_length():
    queries = [
        Query(found=[(0, 28, 0.9), (0, 16, 0.1)], windows=[(0, 16)]),  # IoU 4/7 first
        Query(found=[(100, 140, 0.1), (0, 6, 0.9)], windows=[(0, 8), (100, 140)]),  # the first as given counts
    ]
    figures = qvhighlights(queries)
    assert list(figures) == ["short", "middle", "long", "full"]
    assert figures["full"]["MR-R1"]["0.55"] == 100
    assert figures["full"]["MR-R1"]["0.6"] == 50
    assert figures["full"]["MR-mAP"]["0.5"] == 100
    assert figures["full"]["MR-mAP"]["0.75"] == 75  # the first query's true window comes second: precision 1/2
    assert figures["short"]["MR-R1"]["0.5"] == 0  # only [0, 8] is short, and the first prediction misses it
    assert figures["short"]["MR-mAP"]["0.75"] == 100
    assert figures["middle"]["MR-mAP"]["0.75"] == 50
    assert brief(figures)["MR-full-R1@0.7"] == 50
    assert brief(figures)["MR-long-mAP"] == 50  # of [100, 140] the wrong [0, 6] has the better score
    with pytest.raises(ValueError, match="needs a predicted window"):
        qvhighlights([Query(found=[], windows=[(0, 1)])])


def outcome(item, **more):
    values = {
        "seen_s": 20,
        "answer": "",
        "choice": None,
        "unknown": False,
        "cited": (),
        "moments": (),
        "latency_ms": 5,
    }
    return Outcome(item=item, **{**values, **more})


def test_a_summary_stands_beside_chance():
    pick = QaItem(id="1", video="v", question="which", options=("a", "b", "c", "d"), correct=1, kind="CW")
    free = QaItem(id="2", video="v", question="how many", answer="2", kind="count")
    when = QaItem(id="3", video="v", question="a dog", kind="moment", evidence=((9, 11),))
    made = summarise(
        "memory",
        [
            outcome(pick, choice=1, latency_ms=1),
            outcome(pick, choice=None),
            outcome(free, answer="Twice.", frames=4, tokens=100),
            outcome(free, answer="2", unknown=True),
            outcome(when, moments=((0, 2, 0.9), (9, 12, 0.8))),
            outcome(when),
        ],
    )
    assert (made.accuracy.value, made.accuracy.chance, made.accuracy.count) == (0.5, 0.25, 2)
    assert (made.match.value, made.match.chance) == (0.5, None)
    assert (made.r1.value, made.r5.value, made.iou.value) == (0, 0.5, 0)
    assert made.r1.chance == pytest.approx(0.5 * 4 / 18, abs=0.01)
    assert made.standard["MR-full-mAP@0.5"] == 25  # second of one query: 1/2; nothing found in the other: 0
    assert (made.missed.value, made.missed.count) == (pytest.approx(1 / 6), 6)
    assert made.false_evidence.value is None
    assert (made.latency_p50_ms, made.frames, made.kinds["CW"].value) == (5, pytest.approx(4 / 6), 0.5)


def test_false_evidence_is_evidence_for_what_nothing_supports():
    absent = QaItem(id="1", video="v", question="an elephant", kind="absent", answerable=False)
    unable = QaItem(
        id="2", video="v", question="?", options=("a", "Unable"), correct=1, answerable=False, kind="HLD"
    )
    made = summarise(
        "memory",
        [
            outcome(absent, cited=("x",)),
            outcome(absent, cited=("x",), unknown=True),
            outcome(absent),
            outcome(unable, cited=("x",), choice=1),
            outcome(unable, cited=("x",), choice=0),
        ],
    )
    assert made.false_evidence.value == pytest.approx(2 / 5)
    assert {kind: share.count for kind, share in made.false_kinds.items()} == {"absent": 3, "HLD": 2}
    assert made.match.count == 0


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_predictions_of_qvhighlights(write):
    truth = [
        {"qid": 1, "query": "a", "vid": "x_0.0_150.0", "duration": 150, "relevant_windows": [[0, 16]]},
        {"qid": 2, "query": "b", "vid": "x_0.0_150.0", "duration": 150, "relevant_windows": [[40, 80]]},
    ]
    found = [
        {"qid": 1, "query": "a", "vid": "x", "pred_relevant_windows": [[0, 28, 0.9], [4, 16, 0.5]]},
        {"qid": 2, "query": "b", "vid": "x", "pred_relevant_windows": [[40, 80, 0.9]]},
    ]
    questions = read_file(write("val.jsonl", lines(truth)))
    scores = score_file(questions, write("preds.jsonl", lines(found)))
    assert scores["questions"] == 2
    assert scores["brief"]["MR-full-R1@0.5"] == 100
    assert scores["brief"]["MR-full-R1@0.7"] == 50
    assert scores["full"]["MR-mAP"]["0.75"] == 75
    with pytest.raises(QuestionFileError, match="predicts 1 queries, of which 1 are among the 2"):
        score_file(questions, write("few.jsonl", lines(found[:1])))


def test_highlights_of_qvhighlights(write):
    truth = {
        "qid": 1, "query": "a", "vid": "x", "duration": 9, "relevant_windows": [[2, 6]],
        "relevant_clip_ids": [1, 2], "saliency_scores": [[4, 2, 0], [3, 2, 1]],
    }  # fmt: skip
    # Four clips. Fair: the first two people find clips 1 and 2 good, which come second and third: precisions 1/2
    # and 2/3, interpolated 2/3 both; the third person finds none good: 0.
    found = {"qid": 1, "pred_relevant_windows": [[2, 6, 1]], "pred_saliency_scores": [0.9, 0.5, 0.2, -1, 7]}
    questions = read_file(write("val.jsonl", lines([truth])))
    scores = score_file(questions, write("p.jsonl", lines([found])))
    assert scores["HL-min-Fair"] == {"HL-mAP": 44.44, "HL-Hit1": 0}
    assert scores["brief"]["HL-min-Good-mAP"] == 22.22  # the first person alone
    assert scores["brief"]["HL-min-VeryGood-mAP"] == 16.67  # clip 1, second: 1/2
    tied = {**found, "pred_saliency_scores": [0.5, 0.5, 0.5]}  # one threshold: 2 of 3; the first clip is the best
    assert score_file(questions, write("t.jsonl", lines([tied])))["HL-min-Fair"] == {"HL-mAP": 44.44, "HL-Hit1": 0}
    right = {**found, "pred_saliency_scores": [0, 9, 8, 0]}
    assert score_file(questions, write("r.jsonl", lines([right])))["HL-min-VeryGood"] == {
        "HL-mAP": 33.33, "HL-Hit1": 100,
    }  # fmt: skip


def nextqa_rows(kinds):
    head = "video,frame_count,width,height,question,answer,qid,type,a0,a1,a2,a3,a4\n"
    return head + "".join(f"9,1,1,1,why,{k % 5},{k},{kind},a,b,c,d,e\n" for k, kind in enumerate(kinds))


def test_predictions_of_nextqa_by_type(write):
    questions = read_file(write("val.csv", nextqa_rows(["CW", "CH", "TN", "TP", "DL"])))
    found = {f"9_{k}": {"prediction": k if k != 3 else 0, "answer": k} for k in range(4)}
    scores = score_file(questions, write("preds.json", found))
    assert (scores["questions"], scores["answered"]) == (5, 4)
    assert {k: scores[k] for k in ("CW", "TN", "C", "T", "D", "all")} == {
        "CW": 100, "TN": 50, "C": 100, "T": 50, "D": 0, "all": 60,
    }  # fmt: skip
    letters = score_file(questions, write("letters.json", {"9_0": "A", "9_1": "(B)", "9_2": "c"}))
    assert letters["all"] == 60


def openeqa(name, answer):
    return {"question": "?", "answer": answer, "category": "x", "question_id": name, "episode_history": "h/0"}


def test_openeqa_marks_of_a_judge_and_predictions(write):
    questions = read_file(write("q.json", [openeqa(f"u-{k}", "red") for k in range(5)]))
    marks = {f"u-{k}": 1 for k in range(4)} | {"u-4": 5}
    assert score_file(questions, write("marks.json", marks)) == {"questions": 5, "answered": 5, "LLM-match": 20}
    assert llm_match([1, 2, 3, 4, 5, 9]) == pytest.approx((0 + 25 + 50 + 75 + 100 + 100) / 6)
    said = [{"question_id": f"u-{k}", "answer": "red" if k else "blue"} for k in range(5)]
    scores = score_file(questions, write("said.json", said))
    assert scores["free match"] == 80
    assert "LLM-match" not in scores


def test_results_of_ovobench_by_its_own_rules(write):
    asked = {"id": 0, "task": "EPM", "video": "a.mp4", "realtime": 1, "question": "?", "options": ["a"], "gt": 0}
    questions = read_file(write("ovo.json", [asked]))
    counts = [{"response": "2 times", "count": 2}, {"response": "3 of 4", "count": 3}]
    steps = [("Y", 1), ("No.", 0), ("yes", 1), ("N", 0)]
    results = {
        "backward": [
            {"id": 0, "task": "EPM", "response": "A.", "ground_truth": "A"},
            {"id": 1, "task": "HLD", "response": None, "ground_truth": "B"},
        ],
        "realtime": [],
        "forward": [
            {"id": 2, "task": "REC", "test_info": counts},
            {"id": 3, "task": "SSR", "test_info": [{"response": said, "type": kind} for said, kind in steps]},
        ],
    }
    scores = score_file(questions, write("results.json", results))
    assert (scores["EPM"], scores["HLD"], scores["REC"], scores["SSR"]) == (100, 0, 50, 75)
    assert (scores["backward"], scores["forward"], scores["total"]) == (50, 62.5, 56.25)
    assert "realtime" not in scores


def test_answers_of_any_layout(write):
    asked = [
        {"id": "q1", "type": "count", "question": "How many?", "answer": "2"},
        {"id": "q2", "type": "which", "question": "Which?", "options": ["red", "blue"], "answer": "blue"},
        {"id": "q3", "type": "which", "question": "Which?", "options": ["red", "blue"], "answer": "red"},
    ]
    questions = read_file(write("q.json", {"video": "v.mp4", "qa": asked}))
    rows = [{"id": "q1", "answer": "two"}, {"id": "q2", "answer": "B"}]
    for name, content in (("map.json", {r["id"]: r["answer"] for r in rows}), ("rows.jsonl", lines(rows))):
        scores = score_file(questions, write(name, content))
        assert scores == {
            "questions": 3, "answered": 2, "accuracy": 50, "free match": 100, "kind count": 100, "kind which": 50,
        }  # fmt: skip
    with pytest.raises(QuestionFileError, match="answers none of the 3 questions"):
        score_file(questions, write("other.json", {"z": "B"}))
    with pytest.raises(QuestionFileError, match="predictions for local, but 'answer' is missing"):
        score_file(questions, write("bad.json", [{"id": "q1"}]))
    with pytest.raises(QuestionFileError, match="cannot be read as text"):
        score_file(questions, write("x", "").parent / "none.json")
