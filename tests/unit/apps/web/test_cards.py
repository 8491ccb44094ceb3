from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from hippocam.apps.records import Answer, Status
from hippocam.apps.web import cards
from hippocam.memory.records import Evidence
from hippocam.models.readers.surety import Surety

HOSTILE = "<img src=x onerror=alert(1)>\"'&`${alert(2)}{{alert(3)}}"


class Tags(HTMLParser):
    """Collects the names of elements and of their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def moment(**changes: object) -> Evidence:
    values: dict[str, object] = {
        "id": "00000000000000ab", "stream": "kitchen", "t0_s": 83.0, "t1_s": 91.0, "score": 0.82,
        "why": "it matches", "image": "/memory/exemplars/00000000000000ab.jpg", "frame_s": 85.0,
    }  # fmt: skip
    return Evidence(**(values | changes))  # type: ignore[arg-type]


def answer(*, unknown: bool, text: str, evidence: tuple[Evidence, ...] = (), confidence: float = 0.82) -> Answer:
    return Answer(
        answer=text, unknown=unknown, confidence=confidence, evidence=evidence,
        cited=tuple(e.id for e in evidence),
        reader="extractive", latency_ms=12.0,
    )  # fmt: skip


def test_a_card_is_a_button_that_says_and_carries_its_moment() -> None:
    found = Tags(cards.card(moment(), cited=True, rank=1))
    button = found.attributes[0]
    assert found.tags[0] == "button"
    assert button["aria-label"] == "Play kitchen, 1:23 to 1:31, perhaps"
    assert (button["data-t0"], button["data-t1"]) == ("83.000", "91.000")
    assert "1:23 – 1:31" in found.text
    assert "perhaps" in found.text
    assert "Looks like" not in found.text
    assert (
        "Looks like a dog on a sofa."
        in Tags(cards.card(moment(sentence="a dog on a sofa"), cited=True, rank=1)).text
    )


def test_further_times_are_buttons_that_lead_there() -> None:
    seen = ((83.0, 91.0), (3723.4, 3730.0), (62.0, 64.0))
    found = Tags(cards.card(moment(spans=seen, met=9), cited=False, rank=1))
    assert "also seen at 1:02:03.4, 1:02 (9 times in all)" in found.text
    jumps = [a for a in found.attributes if a.get("class") == "hc-jump"]
    assert [(a["data-t0"], a["data-t1"]) for a in jumps] == [("3723.400", "3730.000"), ("62.000", "64.000")]
    assert {a["data-stream"] for a in jumps} == {found.attributes[0]["data-stream"]}
    assert {a["data-frame"] for a in jumps} == {"85.000"}
    assert jumps[0]["aria-label"] == "Play kitchen, 1:02:03.4 to 1:02:10"
    assert "also seen" not in Tags(cards.card(moment(spans=((83.0, 91.0),)), cited=False, rank=1)).text


def test_a_picture_that_was_given_up_is_said_and_never_asked_for() -> None:
    found = Tags(cards.card(moment(image="", spans=((83.0, 91.0), (95.0, 96.0))), cited=False, rank=1))
    assert "img" not in found.tags
    assert "picture given up for the budget" in found.text
    assert {a.get("data-picture") for a in found.attributes if "data-t0" in a} == {""}


def test_a_thing_is_framed_in_the_picture_that_shows_it() -> None:
    found = Tags(cards.card(moment(thing="bird", box=(0.1, 0.2, 0.4, 0.9)), cited=False, rank=1))
    (frame,) = [a for a in found.attributes if a.get("class") == "hc-box"]
    assert frame["style"] == "left:10.0%;top:20.0%;width:30.0%;height:70.0%"
    for without in (moment(thing="bird"), moment(thing="bird", box=(0.1, 0.2, 0.4, 0.9), image="")):
        assert "hc-box" not in cards.card(without, cited=False, rank=1)


def test_nothing_from_outside_becomes_markup_or_a_template() -> None:
    hostile = moment(stream=HOSTILE, why=HOSTILE, text=HOSTILE, sentence=HOSTILE)
    status = Status(
        memory=HOSTILE, encoder=f"{HOSTILE} ({HOSTILE})", bytes=1, budget_bytes=2, streams=(), tiers=()
    )
    html = cards.answer(answer(unknown=False, text=HOSTILE, evidence=(hostile,)), HOSTILE)
    for made in (
        html,
        cards.status(status),
        cards.error(HOSTILE),
        cards.player(cards.Adding(HOSTILE, HOSTILE, 1, [HOSTILE])),
    ):
        assert "${" not in made
        assert "{{" not in made
        assert "`" not in made
        for attributes in Tags(made).attributes:
            assert not any(name.startswith("on") for name in attributes)
    assert Tags(html).tags.count("img") == 1
    assert HOSTILE in Tags(html).text


def test_what_was_not_seen_stands_first_and_shows_no_confidence() -> None:
    text = Tags(cards.answer(answer(unknown=True, text="Not seen: nothing matches."), "a fox?")).text
    assert text.startswith("a fox?Not seenNothing matches.")
    assert "confidence" not in text


def test_no_supported_answer_is_not_called_not_seen() -> None:
    html = cards.answer(
        answer(unknown=True, text="No supported answer: m was asked twice.", evidence=(moment(),)), "?"
    )
    text = Tags(html).text
    assert "No answer" in text
    assert "Not seen" not in text
    assert "too weak" not in text


def test_a_reader_that_failed_is_told_beside_the_evidence() -> None:
    found = replace(
        answer(unknown=False, text="Best match [1].", evidence=(moment(),)), failed=f"openai: {HOSTILE}"
    )
    html = cards.answer(found, "When?")
    assert f"openai: {HOSTILE}" in Tags(html).text
    assert "[1] 1:23 – 1:31" in Tags(html).text
    assert Tags(html).tags.count("img") == 1


@pytest.mark.parametrize("surety", [Surety.CLEAR, Surety.LIKELY, Surety.PERHAPS])
def test_the_verdict_says_how_sure_it_is_in_a_word(surety: Surety) -> None:
    found = replace(answer(unknown=False, text="0:12 to 0:15", evidence=(moment(),)), surety=surety)
    html = cards.answer(found, "When?")
    assert f"<strong>{surety.value.capitalize()}</strong>" in html
    assert "%" not in Tags(html).text


@pytest.mark.parametrize(("share", "width"), [(0, "1%"), (128_000_000, "50%"), (900_000_000, "100%")])
def test_the_budget_bar_stays_within_its_ends(share: int, width: str) -> None:
    status = Status(memory="m", encoder="e (e:1)", bytes=share, budget_bytes=256_000_000, streams=(), tiers=())
    assert f"width:{width}" in cards.status(status)
