import json
from dataclasses import replace

import pytest

from hippocam.memory.records import Evidence
from hippocam.models.readers.answer_stream import AnswerStream
from hippocam.models.readers.context import ContextConfig, build_context
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reply import ReplyError, converse, read_reply


def context(*scores):
    evidence = [
        Evidence(
            id=f"id{k}", stream="cam", t0_s=k, t1_s=k + 1, score=score, why="", image="", frame_s=k,
            sentence="a car",
        )
        for k, score in enumerate(scores, start=1)
    ]  # fmt: skip
    return build_context("When was a red car there?", evidence, [], ContextConfig())


GIVEN = context(0.9, 0.8, 0.2)


def reply(**values):
    return json.dumps({"answer": "A car [E1].", "evidence": ["E1"], "confidence": 0.9, "unknown": False, **values})


def read(text, *, sees=True):
    return read_reply(text, GIVEN, reader="r", sees=sees)


def test_sentences_carry_what_they_rest_on_and_the_others_are_inferences():
    reading = read(
        reply(
            answer="A car came at 1.5 s, i.e. early. [E1] Then [E2, E3] it left! Perhaps for good.",
            evidence=["E1"],
        )
    )
    assert [s.evidence_ids for s in reading.sentences] == [("id1",), ("id2", "id3"), ()]
    assert reading.cited_answer({"id1": "1", "id2": "2", "id3": "3"}) == (
        "A car came at 1.5 s, i.e. early [1]. Then [2, 3] it left! Perhaps for good (inference)."
    )
    assert reading.evidence_ids == ("id1", "id2", "id3")


def test_a_list_of_evidence_carries_the_first_sentence():
    reading = read(reply(answer="A car came. It was red.", evidence=["[E1]", "E2"]))
    assert [s.evidence_ids for s in reading.sentences] == [("id1", "id2"), ()]
    assert reading.cited_answer({}) == "A car came [id1, id2]. It was red (inference)."


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{reply()}\n```",
        "<think>{'a': 1} {\"x\": 2}</think> Sure! " + reply() + " I hope this helps.",
        reply(confidence=90),
        reply(evidence="E1"),
        '{"note": 1} ' + reply(extra=[1]),
    ],
)
def test_json_is_found_whatever_stands_around_it(text):
    assert read(text).evidence_ids == ("id1",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("PWNED", "holds no JSON object"),
        ("{" * 3000, "holds no JSON object"),
        ('{"answer": "A car', "holds no JSON object"),
        ("[1]", "holds no JSON object"),
        (reply(evidence=["E7"]), "names a moment that was not given"),
        (reply(evidence=["L1"]), "names a moment that was not given"),
        (reply(evidence=["id1"]), "names a moment that was not given"),
        (reply(answer="A car [E8]."), "names a moment that was not given"),
        (reply(answer="PWNED", evidence=[]), "names no moment"),
        (reply(answer=" [E1]. "), 'empty "answer"'),
        (reply(answer=7), "is no text"),
        (reply(unknown="no"), "neither true nor false"),
        (reply(evidence={"E1": 1}), "no list of marks"),
        (reply(confidence=float("nan")), "no number 0 to 1"),
        (reply(confidence=-1), "no number 0 to 1"),
    ],
)
def test_what_is_not_as_it_must_be_is_refused(text, problem):
    with pytest.raises(ReplyError, match=problem):
        read(text)


def test_unknown_is_unknown_whatever_else_it_says():
    reading = read(reply(unknown=True, answer="PWNED"))
    assert reading.unknown
    assert reading.evidence_ids == ()
    assert "PWNED" not in reading.answer


def test_belief_joins_the_memory_and_the_model():
    assert read(reply(confidence=0.9)).confidence == pytest.approx(0.9)
    assert read(reply(confidence=1)).confidence == pytest.approx(0.955, abs=0.01)
    assert read(reply(confidence=None)).confidence == 0.9


def test_what_a_model_saw_where_the_memory_believes_nothing_is_not_confirmed():
    doubted = read(reply(answer="A car [E3].", evidence=["E3"], confidence=0.99))
    assert doubted.unknown
    assert doubted.evidence_ids == ()
    assert doubted.confidence == 0.2
    assert doubted.answer == 'Not confirmed: the memory believes none of the moments that r names for "A car".'
    both = read(reply(answer="A car came [E1], and then a bus [E3].", evidence=["E1", "E3"]))
    assert both.evidence_ids == ("id1", "id3")


def test_what_is_written_is_for_a_model_to_read_whatever_the_memory_believes():
    given = replace(GIVEN, kind=QuestionKind.WORDS)
    found = read_reply(reply(answer="It says STOP [E3].", evidence=["E3"]), given, reader="r", sees=True)
    assert not found.unknown


def test_a_model_that_cannot_see_is_no_surer_than_the_memory():
    assert read(reply(confidence=1), sees=False).confidence == 0.9
    weak = read(reply(answer="A car [E3].", evidence=["E3"], confidence=1), sees=False)
    assert weak.unknown
    assert "matches well enough" in weak.answer


def test_a_model_that_cannot_see_says_only_what_the_records_hold():
    mixed = read(reply(answer="A red car [E1]. A zebra danced wildly [E1]."), sees=False)
    assert [s.evidence_ids for s in mixed.sentences] == [("id1",), ()]
    assert mixed.cited_answer({"id1": "1"}) == "A red car [1]. A zebra danced wildly (inference)."
    with pytest.raises(ReplyError, match="stands in no record"):
        read(reply(answer="A zebra danced wildly [E1]."), sees=False)


def test_what_steers_a_terminal_is_taken_out():
    assert read(reply(answer="A \x1b[31mred\ncar [E1].")).answer == "A [31mred car [E1]."


def ask(*replies, given=GIVEN):
    asked = []

    def complete(turns):
        asked.append(turns)
        return replies[len(asked) - 1]

    return converse(given, complete, reader="r", sees=True), asked


def test_a_bad_reply_is_asked_for_once_more():
    reading, asked = ask("no JSON <|im_end|>", reply())
    assert reading.evidence_ids == ("id1",)
    assert [turn.role for turn in asked[1]] == ["system", "user", "assistant", "user"]
    assert asked[1][:2] == asked[0]
    assert "<" not in asked[1][2].text
    assert "holds no JSON object" in asked[1][3].text
    assert "E1, E2, E3" in asked[1][3].text


def test_two_bad_replies_are_no_answer():
    reading, asked = ask(reply(answer="PWNED", evidence=[]), reply(answer="PWNED", evidence=["E99"]))
    assert len(asked) == 2
    assert reading.unknown
    assert reading.evidence_ids == ()
    assert reading.answer.startswith("No supported answer: r was asked twice")
    assert "PWNED" not in reading.answer
    assert [given.id for given in reading.given] == ["id1", "id2", "id3"]


def test_where_nothing_was_found_nobody_is_asked():
    reading, asked = ask(given=context())
    assert asked == []
    assert reading.unknown
    assert "Not seen" in reading.answer


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_words_of_the_answer_are_given_on_as_they_come(size):
    text, pieces = json.dumps({"evidence": ["E1"], "answer": 'Öl 😀 "x"\n\\u [E1].', "unknown": False}), []
    stream = AnswerStream(pieces.append)
    for at in range(0, len(text), size):
        stream(text[at : at + size])
    assert "".join(pieces) == 'Öl 😀 "x"\n\\u [E1].'
    assert size > 5 or len(pieces) > 3
