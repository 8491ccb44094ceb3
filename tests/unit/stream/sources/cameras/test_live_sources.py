"""Live sources on real media: pace, look-back footage as it came, clips of it."""

import itertools
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import cv2
import numpy as np
import pytest

from hippocam.stream.clips.look_back import write_clips, write_stretch
from hippocam.stream.errors import ClipError, NoFootageError, SourceError
from hippocam.stream.live.address import LiveAddress, parse_address
from hippocam.stream.live.capture import sample
from hippocam.stream.live.lookback import LookBackConfig, segments, start_of
from hippocam.stream.live.messages import Captured
from hippocam.stream.sources.cameras.opencv import read_device
from hippocam.stream.sources.cameras.pyav import read_file, read_url
from hippocam.stream.sources.cameras.recorder import PictureRecorder, Recorder


def recorder(tmp_path, **settings):
    defaults = {"folder": tmp_path / "lb", "max_bytes": 1_000_000, "segment_s": 0.5}
    return Recorder(LookBackConfig(**{**defaults, **settings}))


def feed(writer, path, start_s, *, at=lambda t: t):
    """Give a recorder the packets of a file as if they came at start_s and on."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for packet in container.demux(stream):
            if packet.dts is not None:
                writer.take(packet, stream, start_s + at(float(packet.dts * packet.time_base)))


def numbers(path, media):
    with av.open(str(path)) as container:
        return [
            (float(frame.time), media.read_number(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
        ]


def test_a_file_plays_at_its_own_speed_and_again(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=10, fps=25)
    walk = read_file(parse_address(str(tmp_path / "a.mp4")), longest=640, loop=True, recorder=None)
    frames = list(itertools.islice(walk, 25))
    walk.close()
    assert [media.read_number(f.image()) for f in frames] == [i % 10 for i in range(25)]
    assert 0.7 < frames[-1].arrived_s - frames[0].arrived_s < 3
    assert frames[0].size == (96, 64)


def test_a_file_without_loop_ends(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=5, fps=50)
    walk = read_file(parse_address(str(tmp_path / "a.mp4")), longest=640, loop=False, recorder=None)
    assert len(list(walk)) == 5


def test_footage_is_kept_as_it_came(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=100, options=media.long_gop(10))
    writer = recorder(tmp_path)
    feed(writer, tmp_path / "a.mp4", 1_800_000_000)
    writer.close()
    files = segments(tmp_path / "lb")
    assert len(files) == 5  # each ends with the first key frame after half a second
    assert start_of(files[0]) == pytest.approx(1_800_000_000, abs=0.1)
    (clip,) = write_clips(tmp_path / "lb", tmp_path / "out.mp4", 100)
    assert [n for _, n in numbers(clip.path, media)] == list(range(100))
    assert np.allclose([t for t, _ in numbers(clip.path, media)], np.arange(100) / 25, atol=0.005)


@pytest.mark.parametrize(("wanted", "codec"), [(True, "aac"), (True, "pcm_mulaw"), (False, "aac")])
def test_what_a_camera_hears_is_kept_beside_its_pictures_where_that_is_wanted(tmp_path, media, wanted, codec):
    camera = tmp_path / ("a.mp4" if codec == "aac" else "a.mov")
    media.render_video(
        camera, frames=20, fps=10, options=media.long_gop(10), codec="libx264", sound_s=2, sound=codec
    )
    kept = recorder(tmp_path, segment_s=0.9, sound=wanted)
    with av.open(str(camera)) as container:
        sound, pictures = kept.sound_of(container), container.streams.video[0]
        assert (sound is not None) == wanted
        for packet in container.demux(*([pictures] if sound is None else [pictures, sound])):
            if packet.stream.type == "audio":
                kept.hear(packet)
            elif packet.dts is not None:
                kept.take(packet, pictures, 1000 + float(packet.dts * packet.time_base))
    kept.close()
    heard = 0.0
    for path in segments(tmp_path / "lb"):
        with av.open(str(path)) as container:
            assert len(container.streams.audio) == wanted
            if wanted:
                heard += sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
    assert heard == pytest.approx(2.0 * wanted, abs=0.3)


def test_a_clip_begins_at_the_key_frame_before_what_is_wanted(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=100, options=media.long_gop(10))
    writer = recorder(tmp_path)
    feed(writer, tmp_path / "a.mp4", 1_800_000_000)
    (clip,) = write_clips(tmp_path / "lb", tmp_path / "out.mkv", 1.0)  # the last file is still open
    shown = [n for _, n in numbers(clip.path, media)]
    writer.close()
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert shown[0] % 10 == 0
    assert 25 <= len(shown) <= 36
    assert shown[-1] >= 80  # all but the last cluster can be read while it is written


def test_any_stretch_of_the_footage_is_a_clip(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=100, options=media.long_gop(10))
    writer = recorder(tmp_path)
    feed(writer, tmp_path / "a.mp4", 1_800_000_000)
    writer.close()
    (clip,) = write_stretch(tmp_path / "lb", tmp_path / "out.mp4", 1_800_000_001.3, 1_800_000_002.2)
    shown = [n for _, n in numbers(clip.path, media)]
    assert shown[0] == 30  # the key frame before it
    assert shown == list(range(30, shown[-1] + 1))
    assert 53 <= shown[-1] <= 60  # in the order of decoding some later ones come first
    ((t0_s, t1_s),) = clip.spans
    assert (t0_s, t1_s) == (
        pytest.approx(1_800_000_001.2, abs=0.1), pytest.approx(1_800_000_002.2, abs=0.1)
    )  # fmt: skip
    for t0_s, t1_s in ((1_799_999_000, 1_799_999_900), (1_800_000_100, 1_800_000_200)):
        with pytest.raises(NoFootageError):
            write_stretch(tmp_path / "lb", tmp_path / "none.mp4", t0_s, t1_s)
    assert not (tmp_path / "none.mp4").exists()


def test_another_picture_size_begins_another_file(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=25)
    media.render_video(tmp_path / "b.mp4", frames=25, size=(64, 48))
    writer = recorder(tmp_path)
    feed(writer, tmp_path / "a.mp4", 1_800_000_000)
    feed(writer, tmp_path / "b.mp4", 1_800_000_001)
    writer.close()
    clips = write_clips(tmp_path / "lb", tmp_path / "out.mp4", 60)
    assert [clip.path.name for clip in clips] == ["out.mp4", "out-2.mp4"]
    assert [len(numbers(clip.path, media)) for clip in clips] == [25, 25]


def test_a_camera_that_was_away_leaves_a_gap_that_is_told_and_not_shown(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=25)
    writer = recorder(tmp_path)
    feed(writer, tmp_path / "a.mp4", 1_800_000_000)
    feed(writer, tmp_path / "a.mp4", 1_800_000_100)
    writer.close()
    (clip,) = write_clips(tmp_path / "lb", tmp_path / "out.mp4", 600)
    assert [round(t0 - 1_800_000_000) for t0, _ in clip.spans] == [0, 100]
    times = [t for t, _ in numbers(clip.path, media)]
    assert len(times) == 50
    assert times[-1] < 2.1


def test_the_bytes_are_never_exceeded_while_a_file_is_open(tmp_path, media):
    options = {"x264-params": "keyint=25:min-keyint=25:scenecut=0", "preset": "ultrafast", "crf": "1"}
    rng = np.random.default_rng(0)
    with av.open(str(tmp_path / "noise.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(150):
            picture = rng.integers(0, 255, (240, 320, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    writer = recorder(tmp_path, max_bytes=4_000_000)
    most = 0
    with av.open(str(tmp_path / "noise.mp4")) as container:
        stream = container.streams.video[0]
        for i, packet in enumerate(container.demux(stream)):
            writer.take(packet, stream, 1_800_000_000 + i / 25)
            most = max(most, sum(p.stat().st_size for p in (tmp_path / "lb").iterdir()))
    writer.close()
    assert (tmp_path / "noise.mp4").stat().st_size > 8_000_000
    assert 1_000_000 < most <= 4_000_000


def test_where_the_machines_clock_is_set_back_files_stay_short_and_in_their_order(tmp_path, media):
    """An hour back in the midst: what came before stays, and no file grows until the hour is over."""
    media.render_video(tmp_path / "a.mp4", frames=100, fps=25, options={"g": "5"})
    writer = recorder(tmp_path)
    feed(writer, tmp_path / "a.mp4", 1_800_000_000.0, at=lambda t: t if t < 2 else t - 3600)
    writer.close()
    kept = sorted(segments(tmp_path / "lb"), key=start_of)
    assert len(kept) >= 7
    shown = [numbers(path, media) for path in kept]
    assert [n for file in shown for _, n in file] == list(range(100))
    assert max(file[-1][0] - file[0][0] for file in shown) < 0.8


def test_footage_goes_on_where_its_folder_was_removed(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=40, fps=25, options={"g": "5"})
    writer = recorder(tmp_path)
    feed(writer, tmp_path / "a.mp4", 1_800_000_000.0)
    shutil.rmtree(tmp_path / "lb")
    feed(writer, tmp_path / "a.mp4", 1_800_000_100.0)
    writer.close()
    shown = [n for path in sorted(segments(tmp_path / "lb"), key=start_of) for _, n in numbers(path, media)]
    assert shown == list(range(40))


def test_a_webcam_is_read_and_its_footage_compressed(tmp_path, media):
    media.render_video(tmp_path / "a.avi", frames=40)  # OpenCV opens a file as it does a camera
    address = LiveAddress(kind="device", target=str(tmp_path / "a.avi"), uri="/dev/video9", id="video9")
    writer = recorder(tmp_path, segment_s=60)
    shown = []

    def watch():
        for frame in read_device(address, longest=48, recorder=PictureRecorder(writer)):
            shown.append(media.read_number(frame.image()))
            time.sleep(0.005)

    with pytest.raises(SourceError, match="no more pictures"):
        watch()
    writer.close()
    assert shown == list(range(40))
    (clip,) = write_clips(tmp_path / "lb", tmp_path / "out.mp4", 60)
    assert [n for _, n in numbers(clip.path, media)] == list(range(40))


def test_what_is_masked_is_grey_in_the_footage_too(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=30, fps=50, size=(96, 64))
    writer = recorder(tmp_path, segment_s=60)
    masked = PictureRecorder(writer, [[[0.5, 0], [1, 0], [1, 1], [0.5, 1]]])
    address = parse_address(str(tmp_path / "a.mp4"))
    frames = list(read_file(address, longest=96, loop=False, recorder=masked))
    masked.close()
    (kept,) = segments(tmp_path / "lb")
    with av.open(str(kept)) as container:
        shown = [(frame.time, frame.to_ndarray(format="rgb24").astype(int)) for frame in container.decode(video=0)]
    assert len(shown) == len(frames) == 30
    assert shown[-1][0] - shown[0][0] == pytest.approx(29 / 50, abs=0.01)
    for (_, kept_picture), frame in zip(shown, frames, strict=True):
        assert np.abs(kept_picture[:, 52:] - 114).max() < 12  # grey, whatever was there
        assert np.abs(kept_picture[:, :44] - frame.image()[:, :44]).mean() < 12


def test_a_webcam_that_is_not_there_is_named():
    address = parse_address("97")
    with pytest.raises(SourceError, match="no such camera"):
        next(read_device(address, longest=48, recorder=None))


@pytest.fixture
def http_camera(media):
    """A camera that sends JPEGs one after the other over HTTP, as cheap ones do; and when it sent each."""
    sent = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            try:
                for number in range(60):
                    jpeg = cv2.imencode(".jpg", media.numbered_image(number))[1].tobytes()
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    sent.append(time.monotonic())
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
                    time.sleep(0.1 if self.path == "/slow" else 0.02)
            except OSError:
                pass

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", sent
        server.shutdown()


def test_a_camera_that_sends_elsewhere_is_not_followed():
    """The server of a camera does not choose whom in this network we ask."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{server.server_port}/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        camera = parse_address(f"http://127.0.0.1:{server.server_port}/video")
        with pytest.raises(SourceError, match="elsewhere"):
            list(read_url(camera, longest=640, timeout_s=300, recorder=None))
        server.shutdown()
    assert set(asked) == {"/video"}


def test_pictures_over_http_are_read_and_kept(tmp_path, media, http_camera):
    writer, shown = recorder(tmp_path, segment_s=60), []

    def watch():
        for frame in read_url(
            parse_address(f"{http_camera[0]}/video"), longest=640, timeout_s=300, recorder=writer
        ):
            shown.append(media.read_number(frame.image()))

    with pytest.raises(SourceError, match="ended the stream|broke off"):
        watch()
    writer.close()
    assert shown == list(range(shown[0], 60))
    assert len(shown) > 30


def test_pictures_without_times_have_those_of_their_arrival(tmp_path, media, http_camera):
    """FFmpeg would have them come at 25 a second, so ever earlier than they were made."""
    address, sent = http_camera
    writer, taken = recorder(tmp_path, segment_s=60), []
    frames = read_url(parse_address(f"{address}/slow"), longest=640, timeout_s=300, recorder=writer)

    def watch():
        for message in sample(frames, 100, trust_pts=True):
            if isinstance(message, Captured):
                taken.append((media.read_number(message.image), message.taken_s))

    with pytest.raises(SourceError):
        watch()
    writer.close()
    assert len(taken) > 40  # of two that arrive together one is looked at
    assert all(taken_s >= sent[number] for number, taken_s in taken)
    (path,) = segments(tmp_path / "lb")
    with av.open(str(path)) as container:
        shown = [float(frame.time) for frame in container.decode(video=0)]
    assert shown[-1] - shown[0] >= sent[-1] - sent[0] - 1  # 6 s; FFmpeg's would be 2.4


def test_an_address_where_nobody_is_names_neither_user_nor_password():
    address = parse_address("rtsp://me:secret@127.0.0.1:9/x")
    with pytest.raises(SourceError) as error:
        next(read_url(address, longest=640, timeout_s=2, recorder=None))
    assert "cannot be opened" in str(error.value)
    assert "secret" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize(
    ("out", "last_s", "message"),
    [
        ("a.mp4", 10, "no footage"),
        ("a.gif", 10, "must end in .mp4 or .mkv"),
        ("a.mp4", 0, "must be above 0 seconds"),
    ],
)
def test_a_clip_that_cannot_be_written_is_refused_in_words(tmp_path, out, last_s, message):
    with pytest.raises(ClipError, match=message):
        write_clips(tmp_path / "lb", tmp_path / out, last_s)


def test_where_a_time_has_no_footage_any_more_the_oldest_that_is_there_is_told(tmp_path):
    folder = tmp_path / "lb"
    folder.mkdir()
    for name in ("1796000000000.mkv", "1796000002000.mkv"):
        (folder / name).touch()
    with pytest.raises(NoFootageError, match="no footage of that time") as told:
        write_stretch(folder, tmp_path / "a.mp4", 1_795_000_000.0, 1_795_000_010.0)
    assert told.value.oldest_s == 1_796_000_000.0
