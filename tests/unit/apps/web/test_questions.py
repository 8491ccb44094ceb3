from __future__ import annotations

from dataclasses import replace

import pytest

from hippocam.apps.records import Answer
from hippocam.apps.web.questions import answer_for_page, without_verdict
from hippocam.memory.records import Evidence
from hippocam.models.readers.surety import Surety

MOMENT = Evidence(
    id="00000000000000ab", stream="kitchen", t0_s=83.0, t1_s=91.0, score=0.82, why="it matches",
    image="/memory/exemplars/00000000000000ab.jpg", frame_s=85.0, spans=((83.0, 91.0), (100.0, 104.0)), met=3,
)  # fmt: skip
ANSWER = Answer(
    answer="Likely 1:23 to 1:31 in kitchen [1].", unknown=False, confidence=0.82, evidence=(MOMENT,),
    cited=(MOMENT.id,), reader="extractive", latency_ms=12.0, surety=Surety.LIKELY,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "verdict", "rest"),
    [
        ("Likely 0:16 to 0:25 in film [1].", "likely", "0:16 to 0:25 in film [1]."),
        ("Perhaps: 4:08 to 4:51 in film.", "perhaps", "4:08 to 4:51 in film."),
        ("Not seen: nothing matches.", "not seen", "Nothing matches."),
        ("Yes, likely: 0:10 to 0:12.", "likely", "0:10 to 0:12."),
        ("6 people so far [1] (clear).", "clear", "6 people so far [1]."),
        ("Likely blue: 0:05 to 0:25.", "likely", "Likely blue: 0:05 to 0:25."),
        ("Two cups.", "perhaps", "Two cups."),
    ],
)
def test_the_verdict_stands_above_the_text_and_not_in_it_too(text: str, verdict: str, rest: str) -> None:
    assert without_verdict(text, verdict) == rest


def test_an_answer_tells_no_path_and_where_its_pictures_are() -> None:
    told = answer_for_page(ANSWER)
    (moment,) = told["evidence"]
    assert (told["verdict"], told["text"]) == ("likely", "1:23 to 1:31 in kitchen [1].")
    assert "/memory" not in str(told)
    assert (moment["picture"], moment["sure"], moment["others"]) == (MOMENT.id, "perhaps", [[100.0, 104.0]])
    without = replace(ANSWER, evidence=(replace(MOMENT, image=""),))
    assert answer_for_page(without)["evidence"][0]["picture"] == ""


def test_only_an_unknown_answer_is_called_not_seen() -> None:
    counted = replace(ANSWER, answer="Three people [1].", surety=Surety.NOT_SEEN)
    assert answer_for_page(counted)["verdict"] == "perhaps"
    assert answer_for_page(replace(counted, unknown=True, answer="Not seen: nothing."))["verdict"] == "not seen"
    assert answer_for_page(replace(counted, unknown=True, answer="No supported answer."))["verdict"] == "no answer"
