import pickle

import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.live.address import parse_address, parse_addresses


@pytest.mark.parametrize(
    ("text", "kind", "uri", "name"),
    [
        ("rtsp://10.0.0.7:8554/cam/front", "url", "rtsp://10.0.0.7:8554/cam/front", "10.0.0.7-front"),
        ("rtsp://me:secret@[::1]/s?user=me&key=secret", "url", "rtsp://[::1]/s", "1-s"),
        ("http://cam.local", "url", "http://cam.local", "cam.local"),
        ("door=rtsp://me:secret@h/x?a=b", "url", "rtsp://h/x", "door"),
        ("0", "device", "/dev/video0", "video0"),
        ("/dev/video12", "device", "/dev/video12", "video12"),
    ],
)
def test_addresses_are_understood_and_passwords_kept_back(text, kind, uri, name):
    address = parse_address(text)
    assert (address.kind, address.uri, address.id) == (kind, uri, name)
    assert "secret" not in repr(address)
    assert pickle.loads(pickle.dumps(address)) == address
    if kind == "url":
        assert address.target == text.removeprefix("door=")


def test_files_are_live_under_a_name_of_their_own(tmp_path):
    path = tmp_path / "a=b.mp4"
    path.write_bytes(b"x")
    assert parse_address(str(path)).uri == f"live:{path}"
    assert parse_address(f"gate={path}").id == "gate"


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://me:se#cret@h/x",
        "rtsp://me:se/cret@h",
        "http://me:se?cret@h",
        "rtsp://h:se:cret@",
        "rtsp://me:secret@",
    ],
)
def test_no_part_of_a_password_stands_in_what_is_said_of_an_address(text):
    with pytest.raises(SourceError) as error:
        parse_address(text)
    said = str(error.value) + str(error.value.__cause__)
    assert not any(part in said for part in ("secret", "cret", "'se'"))


@pytest.mark.parametrize(
    "text",
    [
        "a=" * 500 + "rtsp://h",
        "rtsp://h/" + "x" * 5000,
        "x" * 400,
        "x/" * 900,
        "http://h/a\r\nX: y",
        "http://h\n/",
        "rtsp://h/\x00",
        "http://\udcff/",
        "a=\u0661",
        "\uff11",
    ],
)
def test_what_no_address_looks_like_is_refused_in_one_line(text):
    with pytest.raises(SourceError) as error:
        parse_address(text)
    assert "\n" not in str(error.value)


def test_the_name_of_a_stream_is_short_enough_for_a_folder(tmp_path):
    (tmp_path / parse_address("rtsp://" + "h" * 1500 + "/x").id).mkdir()
    (tmp_path / parse_address("n" * 1500 + "=rtsp://h/x").id).mkdir()


@pytest.mark.parametrize("text", ["nowhere.mp4", "ftp://h/x", "file:///etc/passwd", "rtsp://", "rtsp://h:99999/"])
def test_what_cannot_be_watched_is_refused_with_what_can(text):
    with pytest.raises(SourceError) as error:
        parse_address(text)
    assert "rtsp://" in str(error.value) or "not understood" in str(error.value)


def test_a_refused_address_does_not_tell_its_password():
    with pytest.raises(SourceError) as error:
        parse_address("ftp://me:secret@h/x")
    assert "secret" not in str(error.value)


def test_ids_are_unique_and_nothing_is_watched_twice():
    found = parse_addresses(["rtsp://h/a?x=1", "rtsp://h/a?x=2", "h-a=rtsp://g/b"])
    assert [address.id for address in found] == ["h-a", "h-a-2", "h-a-3"]
    with pytest.raises(SourceError, match="given twice"):
        parse_addresses(["0", "x=0"])
