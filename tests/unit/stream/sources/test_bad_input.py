"""Files that cannot be read, or not whole: one line each, every readable frame kept, no noise, no hang."""

from __future__ import annotations

import random
import shutil
import stat
import zipfile
from pathlib import Path
from types import ModuleType

import av
import PIL.Image
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.records import Observation
from hippocam.stream.sources import open_sources
from hippocam.stream.sources.video import VideoSource


def _read(path: Path, fps: float | None = None) -> tuple[list[Observation], str]:
    """What a video gives, and the error it ends with ("" for none)."""
    seen: list[Observation] = []
    reason = ""
    try:
        for observation in VideoSource(path).observations(fps=fps):
            seen.append(observation)
    except SourceError as error:
        reason = error.reason
        if len(str(error).splitlines()) != 1 or error.uri != str(path):
            pytest.fail(f"not one line that names the file: {error}")
    return seen, reason


def _reason(path: Path) -> str:
    seen, reason = _read(path)
    assert not seen
    assert VideoSource(path).duration_s is None or "sound" in reason or "codec" in reason
    return reason


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, media: ModuleType) -> Path:
    path = tmp_path_factory.mktemp("bad") / "clip.mp4"
    media.render_video(path, frames=250, options=media.long_gop(25), container_options={"movflags": "faststart"})
    return path


@pytest.fixture(autouse=True)
def _silence(capfd: pytest.CaptureFixture[str]) -> object:
    """C libraries must not print past the program."""
    yield
    assert capfd.readouterr() == ("", "")


def test_missing_file(tmp_path: Path) -> None:
    assert "no such file" in _reason(tmp_path / "nope.mp4")


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    assert "empty (0 bytes)" in _reason(tmp_path / "a.mp4")


@pytest.mark.parametrize("text", ["<html>404</html>", "Grüße aus Köln " * 60, "version https://git-lfs\n"])
def test_text_with_a_video_suffix(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.mp4").write_text(text, encoding="utf-8")
    assert _reason(tmp_path / "a.mp4").startswith("text, not a video")


def test_archive_with_a_video_suffix(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.mp4", "w") as file:
        file.writestr("clip.mp4", b"x" * 1000)
    assert "unpack it" in _reason(tmp_path / "a.mp4")


def test_random_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(random.Random(1).randbytes(50_000))
    assert "not a video that can be read" in _reason(tmp_path / "a.mp4")


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    assert "not a regular file" in _reason(tmp_path)


@pytest.mark.parametrize("name", ["sound.m4a", "sound.mp4", "sound.webm"])
def test_sound_only(tmp_path: Path, media: ModuleType, name: str) -> None:
    media.render_sound(tmp_path / name)
    assert "only sound" in _reason(tmp_path / name)


@pytest.mark.parametrize("codec", [b"zzzz", b"encv"])
def test_unknown_or_encrypted_codec(tmp_path: Path, clip: Path, codec: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(clip.read_bytes().replace(b"avc1", codec))
    assert "codec is unknown or encrypted" in _reason(tmp_path / "a.mp4")


def test_no_permission(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, whom no mode stops.
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "a.mp4"
    shutil.copy(clip, path)
    path.chmod(stat.S_IWUSR)
    monkeypatch.setattr(Path, "open", refuse)
    assert "no permission to read it" in _reason(path)


def test_truncated_before_its_index(tmp_path: Path, media: ModuleType) -> None:
    media.render_video(tmp_path / "whole.mp4")
    path = media.cut(tmp_path / "whole.mp4", tmp_path / "a.mp4", 0.6)
    assert "no index (moov box)" in _reason(path)


@pytest.mark.parametrize("fps", [None, 5.0])
def test_truncated_behind_its_index_keeps_every_whole_frame(
    tmp_path: Path, media: ModuleType, clip: Path, fps: float | None
) -> None:
    path = media.cut(clip, tmp_path / "a.mp4", 0.6)
    seen, reason = _read(path, fps)
    assert reason.startswith("truncated: read up to 4.0 s of 10.0 s; the part before it was kept")
    assert seen[-1].time_s > 3.5
    assert all(media.read_number(o.images[""]) == o.seq for o in seen)
    if fps is None:
        assert [o.seq for o in seen] == list(range(len(seen)))


@pytest.mark.parametrize("name", ["a.webm", "a.mkv", "a.avi", "frag.mp4"])
def test_truncation_is_told_in_other_containers(tmp_path: Path, media: ModuleType, name: str) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"} if name == "frag.mp4" else None
    coding = media.long_gop(25) if name == "frag.mp4" else None
    media.render_video(tmp_path / name, frames=250, container_options=options, options=coding)
    path = media.cut(tmp_path / name, tmp_path / f"cut_{name}", 0.6)
    seen, reason = _read(path)
    assert reason.startswith("truncated: read up to ")
    assert len(seen) > 60


@pytest.mark.parametrize("name", ["a.webm", "a.mkv"])
def test_a_matroska_is_told_as_truncated_by_the_last_frame_that_it_lacks(
    tmp_path: Path, media: ModuleType, name: str
) -> None:
    media.render_video(tmp_path / name, frames=40, fps=10)
    whole = (tmp_path / name).read_bytes()
    behind = whole.rindex(bytes.fromhex("1c53bb6b"))  # the index, behind all pictures
    for length in (*range(behind - 400, behind, 50), behind - 1, behind + 9, len(whole) - 1, len(whole)):
        (tmp_path / f"cut_{name}").write_bytes(whole[:length])
        seen, reason = _read(tmp_path / f"cut_{name}")
        assert all(media.read_number(o.images[""]) == round(10 * o.time_s) for o in seen)
        assert reason.startswith("truncated: read up to ") == (length < behind + 5), length
        assert len(seen) == 40 or length < behind


def _render_gif(path: Path, media: ModuleType, frames: int) -> None:
    first, *others = (PIL.Image.fromarray(media.numbered_image(k)) for k in range(frames))
    first.save(path, save_all=True, append_images=others, duration=200)


def test_a_truncated_gif_is_told_and_a_whole_one_is_not(tmp_path: Path, media: ModuleType) -> None:
    _render_gif(tmp_path / "a.gif", media, 20)
    seen, reason = _read(tmp_path / "a.gif")
    assert (len(seen), reason) == (20, "")
    for share in (0.3, 0.6, 0.99):
        seen, reason = _read(media.cut(tmp_path / "a.gif", tmp_path / "cut.gif", share))
        assert reason.startswith("truncated: read up to ")
        assert 0 < len(seen) <= 20 * share + 1
    whole = (tmp_path / "a.gif").read_bytes()
    (tmp_path / "bare.gif").write_bytes(whole.removesuffix(b";"))  # as some encoders leave it
    assert _read(tmp_path / "bare.gif")[1] == ""


@pytest.mark.parametrize("name", ["plain.mp4", "a.webm", "a.mkv", "a.avi", "frag.mp4", "a.ts", "sound.mp4"])
def test_whole_files_are_not_called_truncated(tmp_path: Path, media: ModuleType, name: str) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"} if name == "frag.mp4" else None
    sound_s = 4.0 if name == "sound.mp4" else 0.0  # longer than the picture
    media.render_video(tmp_path / name, frames=50, container_options=options, sound_s=sound_s)
    seen, reason = _read(tmp_path / name)
    assert (len(seen), reason) == (50, "")


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_truncated_wmv_is_told_and_a_whole_one_is_not(tmp_path: Path, media: ModuleType, share: float) -> None:
    path = media.encode_anew(_clip(tmp_path, media), tmp_path / "a.wmv", codec="wmv2")
    seen, reason = _read(path)
    assert (len(seen), reason) == (50, "")
    seen, reason = _read(media.cut(path, tmp_path / "cut.wmv", share))
    assert reason.startswith("truncated: read up to ")
    assert 0 < len(seen) <= 50 * share + 1


def _clip(folder: Path, media: ModuleType) -> Path:
    media.render_video(folder / "whole.mp4", frames=50)
    return folder / "whole.mp4"


def test_missing_bytes_that_hold_no_picture_are_no_truncation(tmp_path: Path, media: ModuleType) -> None:
    path = tmp_path / "a.mp4"
    media.render_video(path)
    path.write_bytes(path.read_bytes() + b"\0\0\x10\0free")
    assert _read(path)[1] == ""


def test_a_hole_is_skipped_and_times_stay_true(tmp_path: Path, clip: Path, media: ModuleType) -> None:
    data = bytearray(clip.read_bytes())
    start, length = int(len(data) * 0.5), int(len(data) * 0.1)
    data[start : start + length] = bytes(length)
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    seen, reason = _read(path)
    assert reason == ""
    assert 150 < len(seen) < 250
    assert seen[-1].seq == 249
    assert all(o.time_s == pytest.approx(o.seq / 25) for o in seen)
    # Decoders may show a concealed picture at the edge of the hole; before and well behind it all is right.
    numbers = {o.seq: media.read_number(o.images[""]) for o in seen}
    assert all(numbers[seq] == seq for seq in numbers if seq < 75 or seq > 200)


def test_scattered_damage_never_hangs_or_prints(tmp_path: Path, clip: Path) -> None:
    rng = random.Random(0)
    for trial in range(8):
        data = bytearray(clip.read_bytes())
        for _ in range(80):
            data[rng.randrange(200, len(data))] = rng.randrange(256)
        path = tmp_path / f"{trial}.mp4"
        path.write_bytes(data)
        seen, _ = _read(path)
        assert [o.seq for o in seen] == sorted({o.seq for o in seen})


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path, clip: Path) -> None:
    shutil.copy(clip, tmp_path / "good.mp4")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("hello")
    opened = open_sources([tmp_path, tmp_path / "gone.mp4", tmp_path / "*.mkv"])
    assert [source.id for source in opened.sources] == ["good"]
    assert [Path(error.uri).name for error in opened.failed] == ["empty.mp4", "text.mp4", "gone.mp4", "*.mkv"]


# Scripts that FFmpeg follows to another file; a byte that no text has keeps them from being taken for text.
SCRIPTS = {
    "ffconcat": b"ffconcat version 1.0\n# \xff\x00\nfile clip.mp4\n",
    "m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n## \xff\x00\n#EXTINF:10,\nclip.mp4\n#EXT-X-ENDLIST\n",
    "mpd": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">\n<!-- \xff\x00 -->'
    b'<Period><AdaptationSet mimeType="video/mp4">\n<Representation id="1" bandwidth="1">'
    b"<BaseURL>clip.mp4</BaseURL>\n</Representation></AdaptationSet></Period></MPD>",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=\xff\x00\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"
    b"a=rtpmap:96 H264/90000\n",
}


@pytest.mark.parametrize("kind", SCRIPTS)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_a_script_that_names_other_files_is_no_video(tmp_path: Path, clip: Path, kind: str, suffix: str) -> None:
    shutil.copy(clip, tmp_path / "clip.mp4")
    script = tmp_path / f"a{suffix}"
    script.write_bytes(SCRIPTS[kind])
    assert "not a video that can be read" in _reason(script)


def test_without_an_allow_list_a_script_would_read_its_neighbour(tmp_path: Path, clip: Path) -> None:
    shutil.copy(clip, tmp_path / "clip.mp4")
    script = tmp_path / "a.mp4"
    script.write_bytes(SCRIPTS["ffconcat"])
    with av.open(str(script)) as container:
        assert container.format.name == "concat"
        assert next(container.decode(video=0)).width == 96


def test_a_length_that_cannot_be_is_not_believed(tmp_path: Path, media: ModuleType) -> None:
    """An AVI whose header counts 2^31 frames, as is left by recorders that were cut off: 2.7 years."""
    path = tmp_path / "a.avi"
    media.render_video(path, frames=50)
    data = bytearray(path.read_bytes())
    frames_at, stream_at = data.index(b"avih") + 8 + 16, data.index(b"strh") + 8 + 32
    for at in (frames_at, stream_at):
        data[at : at + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(data)
    source = VideoSource(path)
    assert source.duration_s is None
    assert source.segments(300.0) == 1
    seen, reason = _read(path)
    assert ([o.seq for o in seen], reason) == (list(range(50)), "")
    assert seen[-1].time_s == pytest.approx(49 / 25)


def test_a_rate_that_cannot_be_is_not_believed(
    tmp_path: Path, media: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    """An AVI whose header gives years to each frame, so that its end would be in the year 2264 and later."""
    path = tmp_path / "a.avi"
    media.render_video(path, frames=50)
    data = bytearray(path.read_bytes())
    at = data.index(b"strh") + 8 + 20
    data[at : at + 8] = (190_000_000).to_bytes(4, "little") + (1).to_bytes(4, "little")
    path.write_bytes(data)
    assert VideoSource(path).duration_s is None
    seen, reason = _read(path)
    assert reason == ""
    assert [(o.seq, o.time_s) for o in seen] == [(k, pytest.approx(k / 25)) for k in range(50)]
    assert "taken for 25 a second" in caplog.text
