"""Subtitle files as people have them: any encoding, any layout, and nothing that takes for ever."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType

import pytest

from hippocam.stream.sources.code_pages import decoded
from hippocam.stream.sources.container_text import text_notes

CUES = "1\n00:00:01,000 --> 00:00:02,000\n{}\n\n2\n00:00:05,000 --> 00:00:06,000\nfin\n"


def told(folder: Path, data: bytes | str, suffix: str = ".srt") -> list[tuple[float, float, str]]:
    """What is read beside a video that is none: only the file of words counts."""
    video = folder / "a.mp4"
    video.write_bytes(b"no video")
    (folder / f"a{suffix}").write_bytes(data.encode() if isinstance(data, str) else data)
    return [(note.t0_s, note.t1_s, note.text) for note in text_notes(video, str(video), "cam")]


ENCODED = [
    ("utf-8", "Größe"),
    ("utf-8-sig", "The blue lorry"),
    ("utf-16", "The blue lorry"),
    ("utf-16-le", "The blue lorry"),
    ("utf-16-be", "The blue lorry"),
    ("utf-32", "Синий грузовик"),
    ("utf-16", "Синий грузовик"),
    ("cp1252", "We don’t see “Rover” – he’s gone"),
    ("cp1252", "Où est l’été ? Ça va très bien"),
    ("cp1252", "Größe über alles, Straße"),
    ("cp1251", "Синий грузовик"),
    ("cp1251", "Где собака? Она ушла домой."),
    ("cp1250", "Příliš žluťoučký kůň úpěl"),
    ("cp1250", "Zażółć gęślą jaźń"),
    ("cp1253", "Το μπλε φορτηγό φεύγει. Πού είναι ο σκύλος;"),
    ("cp1256", "وصلت الشاحنة الزرقاء"),
    ("koi8_r", "Синий грузовик уехал"),
    ("shift_jis", "青いトラックが到着しました"),
    ("gb18030", "蓝色的卡车到了"),
    ("big5", "藍色的卡車到了"),
    ("euc_kr", "파란 트럭이 도착했다"),
]


@pytest.mark.parametrize(("encoding", "text"), ENCODED)
def test_any_encoding_is_read(tmp_path: Path, encoding: str, text: str) -> None:
    data = CUES.format(text).encode(encoding)
    assert told(tmp_path, data) == [(1.0, 2.0, text), (5.0, 6.0, "fin")]


def test_a_damaged_byte_of_utf8_does_not_make_it_a_code_page() -> None:
    data = bytearray(("Größe, Straße, Übermut und Äpfel. " * 5).encode())
    data[4] = 0xFF
    assert "Straße, Übermut" in decoded(bytes(data))


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (
            "1\n00:01,0 --> 00:02,0\na\n2\n00:05,0 --> 00:06,0\nb\n3\n00:07,0 --> 00:08,0\nc\n",
            [(1, "a"), (5, "b"), (7, "c")],
        ),
        ("00:01,0 --> 00:02,0\na\n00:05,0 --> 00:06,0\nb", [(1, "a"), (5, "b")]),
        ("1\n00:01,0 --> 00:02,0\na\n\nmore of it\n\n2\n00:05,0 --> 00:06,0\nb", [(1, "a more of it"), (5, "b")]),
        ("1\n00:01,0 --> 00:02,0\n\na\n\n2\n\n00:05,0 --> 00:06,0\n\nb\n\n\n", [(1, "a"), (5, "b")]),
        ("1\r\n00:01,0 --> 00:02,0\r\na\r\n\r\n2\r\n00:05,0 --> 00:06,0\r\nb", [(1, "a"), (5, "b")]),
        ("1\n-00:00:01,500 --> 00:00:02,000\na\n\n2\n-00:03,0 --> -00:01,0\ngone\n", [(0, "a")]),
        ("1\n00:00:01 --> 00:00:02\na\n", [(1, "a")]),
        ("1\n00:01,0 --> 00:02,0\n42\n\n2\n00:05,0 --> 00:06,0\nb", [(1, "42"), (5, "b")]),
        ("1\n00:01,0-->00:02,0  X1:1 X2:2\na\n", [(1, "a")]),
        (
            "7\n00:01,0 --> 00:02,0\na\n\n-1\n00:05,0 --> 00:06,0\nb\n\n#7\n00:07,0 --> 00:08,0\nc",
            [(1, "a"), (5, "b"), (7, "c")],
        ),
        ("1\n00:01,0 -> 00:02,0\nx -> y\n\n2\n00:05,0 → 00:06,0\nb", [(1, "x -> y"), (5, "b")]),
        ("1\n00: 00: 01, 500 - > 00: 00: 02, 000\na\n\n2\n00:05,0000 --> 00:06,2500\nb", [(1.5, "a"), (5, "b")]),
        ("1\n00:01,0 --> 00:02,0\na\n\n\ufeff2\n00:05,0 --> 00:06,0\nb", [(1, "a"), (5, "b")]),
        ("1\r\n00:01,0 --> 00:02,0\r\na\r\r\n2\n00:05,0 --> 00:06,0\rb\r\n", [(1, "a"), (5, "b")]),
    ],
    ids=[
        "no blank lines",
        "no numbers",
        "blank line within",
        "blank lines all over",
        "CRLF",
        "negative",
        "no fraction",
        "a number",
        "positions",
        "numbers of their own",
        "other arrows",
        "spaces in times, long fractions",
        "joined files",
        "line ends mixed",
    ],
)
def test_layouts(tmp_path: Path, layout: str, expected: list[tuple[float, str]]) -> None:
    assert [(t0_s, text) for t0_s, _, text in told(tmp_path, layout)] == expected


def test_blocks_of_webvtt_that_are_no_cues_are_left_out(tmp_path: Path) -> None:
    text = (
        "WEBVTT - made by hand\n\nSTYLE\n::cue { color: red }\n\nNOTE one\nand two\n\nfirst cue\n"
        "00:01.000 --> 00:02.000\n"
        "<v Ann>Hello</v> <c.yellow.big>you</c><00:01.500>\n\nNOTE between\nof two lines\n\n"
        "NOTE\nthe usual form\nof lines\n\n7 of 9\n00:05.000 --> 00:06.000\nNOTE is said\n"
    )
    assert [text for *_, text in told(tmp_path, text, ".vtt")] == ["Hello you", "NOTE is said"]


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("if a < b and c > d", "if a < b and c > d"),
        ("a <b and more", "a <b and more"),
        ("x<y", "x<y"),
        ("<i>so</i> <b>it</b> <u>is</u>", "so it is"),
        ('<font color="#ff0000">red</font>', "red"),
        (r"{\an8}on top", "on top"),
        ("{music}", "{music}"),
        ("Tom &amp; Jerry &lt;3 &quot;caf&eacute;&quot; &#8211; &#x2026;", 'Tom & Jerry <3 "café" – …'),
        ("a&nbsp;b&lrm;", "a b"),
        ("AT&T", "AT&T"),
    ],
)
def test_tags_go_and_all_else_stays(tmp_path: Path, raw: str, plain: str) -> None:
    assert [text for *_, text in told(tmp_path, CUES.format(raw))] == [plain, "fin"]


@pytest.mark.parametrize(
    "text", ["", "hello, no cue in here", "1\n00:00:05,000 --> 00:00:01,000\nends before it begins\n"]
)
def test_a_file_that_yields_nothing_is_told(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    assert told(tmp_path, text) == []
    assert "a.srt: no subtitle can be read in it" in caplog.text


@pytest.mark.parametrize(
    "unit", ["<", "{", "\n", " \n", "<i ", "{\\", "&", "1\n", "\n\nNOTE ", "\u00e9<", "00:01,0 -->", "-"]
)
def test_time_is_linear_in_length(tmp_path: Path, unit: str) -> None:
    """Eight times the text takes about eight times as long, not sixty-four times; small times are not compared."""
    taken = []
    for length in (50_000, 400_000):
        body = (unit * length)[:length]
        began = time.process_time()
        told(tmp_path, CUES.format(body))
        taken.append(time.process_time() - began)
    assert taken[1] < 30 * max(taken[0], 0.05)


ASS = r"""[Script Info]
Dialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,no event
[V4+ Styles]
Format: Name, Fontname, Fontsize
[Events]
Format: Layer, Start, End, Style, Text
Comment: 0,0:00:04.00,0:00:05.00,Default,not shown
Dialogue: 0,0:00:01.00,0:00:03.50,Default,{\pos(1,2)}Grün, Comma\Nand {\i1}more{\i0}
Dialogue: 0,0:00:06.00,0:00:07.00,Default,{\p1}m 0 0 l 100 0{\p0}
Dialogue: 0,soon,0:00:07.00,Default,no time
Dialogue: broken
"""


@pytest.mark.parametrize("suffix", [".ass", ".SSA", ".de.ass"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_ass_is_read_by_the_fields_that_it_names_and_drawings_are_no_words(
    tmp_path: Path, suffix: str, encoding: str
) -> None:
    assert told(tmp_path, ASS.encode(encoding), suffix) == [(1.0, 3.5, "Grün, Comma and more")]


def test_hours_that_nobody_lives_through_end_no_other_cue(tmp_path: Path) -> None:
    cues = "1\n0:00:01,0 --> 0:00:02,0\nfirst\n2\n999:59:59,999 --> 9999999:00:00,000\nlate\n"
    cues += f"3\n{'9' * 12}:00:00,0 --> {'9' * 12}:00:01,0\nnever\n"
    assert [text for *_, text in told(tmp_path, cues)] == ["first", "late"]


@pytest.mark.parametrize("suffix", [".sub", ".en.smi", ".SUP"])
def test_kinds_that_are_not_read_are_told(tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture) -> None:
    assert told(tmp_path, "{25}{75}words", suffix) == []
    assert f"a{suffix}: subtitles of this kind are not read" in caplog.text


def test_a_file_that_is_too_large_for_words_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert told(tmp_path, CUES.format("word") + " " * 10_000_001) == []
    assert "a.srt: no subtitle can be read in it" in caplog.text


@pytest.mark.parametrize("times", ["00:00:-3,000 --> 00:00:04,000", "00:00:03:000 --> 00:00:04:000"])
def test_times_that_cannot_be_read_are_told_and_are_no_words(
    tmp_path: Path, times: str, caplog: pytest.LogCaptureFixture
) -> None:
    cues = told(tmp_path, f"1\n00:00:01,000 --> 00:00:02,000\nHe says 5 --> 6\n\n2\n{times}\nlost\n")
    assert [text for *_, text in cues] == ["He says 5 --> 6"]
    assert "a.srt: 1 of its times cannot be read" in caplog.text


@pytest.mark.parametrize("name", ["a.pt-BR.forced.srt", "a.eng.sdh.SRT", "a.default.en.forced.srt"])
def test_marks_of_players_in_the_name_do_not_matter(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, CUES.format("word"), name[1:]) == [(1.0, 2.0, "word"), (5.0, 6.0, "fin")]


def test_words_belong_to_the_video_of_the_longest_name(tmp_path: Path) -> None:
    (tmp_path / "a.2.mp4").write_bytes(b"no video")
    assert told(tmp_path, CUES.format("of the second"), ".2.srt") == []
    assert [note.text for note in text_notes(tmp_path / "a.2.mp4", "", "cam")] == ["of the second", "fin"]


def test_what_is_said_behind_the_films_end_is_told(
    tmp_path: Path, media: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    media.render_video(tmp_path / "a.mp4", frames=55, fps=10)
    (tmp_path / "a.srt").write_text(CUES.format("first") + "\n3\n01:00:00,000 --> 01:00:01,000\nanother version\n")
    notes = text_notes(tmp_path / "a.mp4", "a.mp4", "cam")
    assert [(note.t0_s, note.t1_s, note.text) for note in notes] == [(1.0, 2.0, "first"), (5.0, 5.5, "fin")]
    assert "a.srt: 1 of its 3 subtitles begin behind the end of the film at 5.5 s" in caplog.text
