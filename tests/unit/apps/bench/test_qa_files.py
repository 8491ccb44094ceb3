"""Question files of every layout, as tiny files in the benchmarks' own field names, become the same records."""

import json

import pytest

from hippocam.apps.bench.qa.files import read_file, read_files, seconds
from hippocam.apps.bench.qa.items import QaItem, before_evidence
from hippocam.apps.bench.qa.videos import Videos
from hippocam.apps.errors import QuestionFileError
from hippocam.stream.errors import HippocamError

LOCAL = {
    "video": "video/clip.mp4",
    "events": [
        {"start": 0, "end": 4, "text": "a red wall"},
        {"start": 10, "end": 14, "text": "a blue wall"},
        {"start": 20, "end": 24, "text": "a blue wall"},
        {"start": 30, "end": 34, "text": "nobody"},
    ],
    "qa": [
        {"id": "q1", "type": "count", "ask_at_s": 9, "question": "How many?", "answer": "2",
         "evidence": [[8, 12]]},
        {"id": "q2", "type": "when", "ask_at_s": 30, "question": "When was it blue?", "answer": "10 s",
         "evidence": [[10, 14]]},
    ],
}  # fmt: skip
OPENEQA = [
    {"question": "What is red?", "answer": "The wall", "extra_answers": ["A wall"],
     "category": "object recognition", "question_id": "u-1", "episode_history": "hm3d-v0/000-house"},
]  # fmt: skip
NEXTQA = (
    "video,frame_count,width,height,question,answer,qid,type,a0,a1,a2,a3,a4\n"
    '401,369,640,480,"why, then",2,6,CW,to run,to sit,to eat,to sleep,to sing\n'
)
QVHIGHLIGHTS = (
    '{"qid": 7, "query": "A chef cuts pizza.", "duration": 150, "vid": "abc_60.0_210.0",'
    ' "relevant_windows": [[106, 122]], "relevant_clip_ids": [53], "saliency_scores": [[2, 3, 3]]}\n'
    '{"qid": 8, "query": "Rain.", "duration": 150, "vid": "abc_60.0_210.0"}\n'
)
STREAMINGBENCH = [
    {"time": "[0:00:00 - 0:01:00]", "video_path": "./videos/sample_1_real.mp4", "questions": [
        {"task_type": "Object Recognition", "question": "What is on the table?", "time_stamp": "00:01:52",
         "answer": "B", "options": ["A. Cards", "B.A cup.", "C. Nothing"], "required_ability": "working memory"},
        {"task_type": "Proactive Output", "question": "When it rains, say so.", "time_stamp": "00:00:20",
         "ground_truth_time_stamp": "00:00:29", "ground_truth_output": "rain", "required_ability": "x"},
    ]},
]  # fmt: skip
OVOBENCH = [
    {"id": 0, "task": "EPM", "video": "Ego4D/clips/a.mp4", "realtime": 215, "question": "Who was it?",
     "answer": "a cook", "options": ["a judge", "a cook"], "gt": 1},
    {"id": 1, "task": "HLD", "video": "Ego4D/clips/a.mp4", "realtime": 30, "question": "What fell?",
     "answer": "Unable to answer", "options": ["a cup", "Unable to answer"], "gt": 1},
    {"id": 2, "task": "REC", "video": "b.mp4", "activity": "jump", "start_times": [6, 20], "end_times": [9, 25],
     "test_info": [{"realtime": 10, "count": 1}, {"realtime": 30, "count": 2}]},
    {"id": 3, "task": "SSR", "video": "b.mp4", "tutorial": "x", "all_steps": ["cut it", "fry it"],
     "start_time": [5, 12], "end_time": [10, 20],
     "test_info": [{"realtime": 8, "step": "cut it", "type": 1}, {"realtime": 9, "step": "fry it", "type": 0}]},
    {"id": 4, "task": "CRR", "video": "b.mp4", "question": "What does she do?", "answer": "She leaves.",
     "ask_time": 7, "clue_time": 9, "test_info": [{"realtime": 7, "type": 0}, {"realtime": 10, "type": 1}]},
]  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def write(content, name="q.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_local_ground_truth_gives_moments_and_questions_at_their_time(write):
    file = read_file(write(LOCAL, "clip.json"))
    assert file.layout == "local"
    blue, q1 = file.items[1], file.items[3]
    assert (blue.id, blue.question, blue.kind) == ("clip/event/2", "a blue wall", "moment")
    assert blue.evidence == ((10, 14), (20, 24))
    assert (q1.asked_at_s, q1.answer, q1.kind, q1.video) == (9, "2", "count", "video/clip.mp4")
    assert q1.windows == ((8, 9),)


def test_a_local_question_may_have_options(write):
    asked = {"id": "q", "question": "Which?", "options": ["red", "blue"], "answer": "blue"}
    (item,) = read_file(write({"video": "a.mp4", "qa": [asked]})).items
    assert (item.options, item.correct) == (("red", "blue"), 1)


def test_what_no_clip_shows_is_a_list_of_descriptions(write):
    file = read_file(write(["an elephant", "a pizza"], "absent.json"))
    assert file.layout == "absent"
    assert [(i.question, i.answerable, i.video) for i in file.items] == [
        ("an elephant", False, ""),
        ("a pizza", False, ""),
    ]


def test_openeqa(write):
    (item,) = read_file(write(OPENEQA)).items
    assert (item.id, item.video, item.answer, item.also) == ("u-1", "hm3d-v0/000-house", "The wall", ("A wall",))
    assert (item.options, item.asked_at_s, item.kind) == ((), None, "object recognition")


def test_nextqa(write):
    (item,) = read_file(write(NEXTQA, "val.csv")).items
    assert (item.id, item.video, item.correct, item.kind) == ("401_6", "401", 2, "CW")
    assert item.options == ("to run", "to sit", "to eat", "to sleep", "to sing")


def test_qvhighlights(write):
    file = read_file(write(QVHIGHLIGHTS, "val.jsonl"))
    assert file.layout == "qvhighlights"
    assert [(i.id, i.evidence) for i in file.items] == [("7", ((106, 122),)), ("8", ())]
    (one,) = read_file(write(QVHIGHLIGHTS.splitlines()[0], "one.jsonl")).items
    assert one.video == "abc_60.0_210.0"


@pytest.mark.parametrize("content", [STREAMINGBENCH, STREAMINGBENCH[0]])
def test_streamingbench_leaves_out_what_is_to_be_said_unasked(write, content):
    file = read_file(write(content))
    (item,) = file.items
    assert file.left_out == 1
    assert (item.id, item.options, item.correct) == ("0/0", ("Cards", "A cup.", "Nothing"), 1)
    assert (item.asked_at_s, item.kind) == (112, "Object Recognition")


def test_ovobench_backward_and_forward(write):
    file = read_file(write(OVOBENCH))
    by_id = {item.id: item for item in file.items}
    assert list(by_id) == ["0", "1", "2/0", "2/1", "3/0", "3/1", "4/0", "4/1"]
    assert (by_id["0"].correct, by_id["0"].asked_at_s, by_id["0"].answerable) == (1, 215, True)
    assert not by_id["1"].answerable
    assert (by_id["2/0"].question, by_id["2/0"].answer) == ("How many times did they jump?", "1")
    assert by_id["2/0"].windows == ((6, 9),)
    assert (by_id["3/0"].question, by_id["3/0"].correct, by_id["3/0"].windows) == ("cut it", 0, ((5, 8),))
    assert (by_id["3/1"].correct, by_id["3/1"].windows) == (1, ())
    assert [by_id[i].answer for i in ("4/0", "4/1")] == ["No", "Yes"]
    assert "enough" in by_id["4/0"].asks


def test_a_folder_is_all_its_files(write, tmp_path):
    write(LOCAL, "a.json")
    write(NEXTQA, "b.csv")
    write("not a question file", "c.txt")
    assert [file.layout for file in read_files([tmp_path])] == ["local", "nextqa"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x": 1}, "in no known layout; known are local"),
        (["u-1", "u-2"], "in no known layout"),
        ('{"a": 1}\n{"b"', "neither JSON nor JSON lines"),
        ([{**OPENEQA[0], "category": None, "question": " "}], "layout of openeqa, but question u-1: its text is"),
        ([{k: v for k, v in OPENEQA[0].items() if k != "answer"}], "layout of openeqa, but 'answer' is missing"),
        (OPENEQA * 2, "several questions have the id 'u-1'"),
        (NEXTQA.replace(",2,6,", ",9,6,"), "layout of nextqa, but"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_the_reason(write, content, message):
    path = write(content)
    with pytest.raises(QuestionFileError, match="q.json.*" + message):
        read_file(path)


def test_a_missing_file_and_an_empty_folder(tmp_path):
    with pytest.raises(QuestionFileError, match="cannot be read as text"):
        read_file(tmp_path / "none.json")
    with pytest.raises(QuestionFileError, match="no question file"):
        read_files([tmp_path])


def test_seconds_of_a_time_stamp():
    assert [seconds(t) for t in ("00:03:58", "03:58", "1:00:00", 12.5)] == [238, 238, 3600, 12.5]


def test_asked_too_early_is_derived_only_where_nothing_earlier_answers(write):
    early = [before_evidence(item) for item in read_file(write(LOCAL, "clip.json")).items]
    red, blue, nobody, count, when = early
    assert blue is not None
    assert when is not None
    assert (blue.id, blue.asked_at_s, blue.answerable, blue.windows) == ("clip/event/2/before", 8, False, ())
    assert (when.asked_at_s, when.answer) == (8, "")
    assert [red, nobody, count] == [None, None, None]


def test_an_item_checks_itself():
    with pytest.raises(ValueError, match="correct option 2 of 2"):
        QaItem(id="q", video="v", question="which", options=("a", "b"), correct=2)
    with pytest.raises(ValueError, match="start first"):
        QaItem(id="q", video="v", question="when", evidence=((3, 1),))


def test_videos_are_found_by_path_by_name_and_by_the_folders_above(tmp_path):
    for name in ("a/clip_60.0_210.0.mp4", "b/401.avi", "c/x.mp4", "d/x.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "episodes" / "000-house").mkdir(parents=True)
    videos = Videos(tmp_path)
    assert videos.find("b/401.avi") == tmp_path / "b/401.avi"
    assert videos.find("401") == tmp_path / "b/401.avi"
    assert videos.find("clip_60.0_210.0") == tmp_path / "a/clip_60.0_210.0.mp4"
    assert videos.find("./videos/401.mp4") == tmp_path / "b/401.avi"
    assert videos.find("hm3d-v0/000-house") == tmp_path / "episodes/000-house"
    assert videos.find("/mnt/d/x.mp4") == tmp_path / "d/x.mp4"
    assert videos.find("gone.mp4") is None
    with pytest.raises(HippocamError, match="several videos have this name"):
        videos.find("x")
    with pytest.raises(HippocamError, match="no such folder"):
        Videos(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "layout", "count"),
    [
        ("nextqa/val.csv", "nextqa", 4996),
        ("openeqa/open-eqa-v0.json", "openeqa", 1636),
        ("local_ground_truth/bottles.json", "local", 11 + 12),
    ],
)
def test_real_files(shared_data, name, layout, count):
    if not (shared_data / "bench" / name).exists():
        pytest.skip(f"no bench/{name} in the test data")
    file = read_file(shared_data / "bench" / name)
    assert (file.layout, len(file.items)) == (layout, count)
