"""Archives of footage that lies elsewhere: in a real server's bucket on this machine, and on a web server."""

import http.server
import socket
import threading
from pathlib import Path
from typing import ClassVar

import pytest

from hippocam.apps.archive.records import ArchiveConfig
from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.stream.sources import open_sources

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
LOCAL = ArchiveConfig(executor="local")
SECRET = "wJalrXUtnFEMI"


@pytest.fixture(scope="module")
def helper(load_helpers):
    return load_helpers("archive_footage.py")


@pytest.fixture(scope="module")
def footage(tmp_path_factory, helper):
    """Two cameras, a broken file, and one that is no footage."""
    folder = tmp_path_factory.mktemp("footage")
    for number, camera in enumerate(("door", "yard")):
        helper.render(folder / camera / "2023-11-02_14-05-00.mp4", number, 12)
    (folder / "yard" / "2023-11-02_15-00-00.mp4").write_bytes(b"\x00\x00\x00\x18ftypisom no video")
    (folder / "notes.md").write_text("no footage")
    return folder


@pytest.fixture
def bucket(footage, monkeypatch):
    """The footage in a bucket of a server on this machine."""
    server_of = pytest.importorskip("moto.server", reason="pip install 'moto[s3]' flask flask-cors s3fs")
    boto3 = pytest.importorskip("boto3")
    s3fs = pytest.importorskip("s3fs")
    server = server_of.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="cams")
    for path in footage.rglob("*.*"):
        client.upload_file(str(path), "cams", path.relative_to(footage).as_posix())
    s3fs.S3FileSystem.clear_instance_cache()
    yield client
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_a_bucket_is_archived_like_a_folder(tmp_path, helper, bucket, footage, capsys):
    report = helper.local(tmp_path / "m", "s3://cams", per="camera")
    assert (report.archived, report.gone, report.undated) == (2, (), ())
    assert [failure.source for failure in report.failed] == ["s3://cams/yard/2023-11-02_15-00-00.mp4"]
    names = {"door", "yard"}
    assert {path.name for path in (tmp_path / "m").iterdir() if path.is_dir() and path.name[0] != "."} == names
    here = helper.local(tmp_path / "here", footage, per="camera")
    assert here.archived == 2
    with Session(tmp_path / "m" / "door") as far, Session(tmp_path / "here" / "door") as near:
        (told,), (expected,) = far.status().streams, near.status().streams
        assert told.source == "s3://cams/door/2023-11-02_14-05-00.mp4"
        assert (told.t0_s, told.t1_s, told.frames_seen, told.entries) == (
            expected.t0_s, expected.t1_s, expected.frames_seen, expected.entries,
        )  # fmt: skip
        question = "Was it red on 2 November 2023?"
        assert far.ask(question).answer == near.ask(question).answer
    bucket.delete_object(Bucket="cams", Key="door/2023-11-02_14-05-00.mp4")
    again = ["archive", "--memories", str(tmp_path / "m"), "--resume", "--executor", "local"]
    assert main(again) == 0
    told = capsys.readouterr()
    assert "1 known already" in told.out
    assert SECRET not in told.out + told.err
    assert all(SECRET.encode() not in path.read_bytes() for path in (tmp_path / "m").rglob("*") if path.is_file())


@pytest.fixture
def gs_bucket(footage, monkeypatch):
    """The footage in a bucket of an emulator of Google's storage on this machine."""
    emulator = pytest.importorskip("gcp_storage_emulator.server", reason="pip install gcp-storage-emulator")
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # asks a gRPC service that no emulator has
    gcsfs = pytest.importorskip("gcsfs", reason="pip install gcsfs")
    fsspec = pytest.importorskip("fsspec")
    fsspec.register_implementation("gs", gcsfs.core.GCSFileSystem, clobber=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("FSSPEC_GS_TOKEN", "anon")
    with emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="cams"):
        gcsfs.GCSFileSystem.clear_instance_cache()
        system = gcsfs.core.GCSFileSystem(token="anon")
        for path in footage.rglob("*.*"):
            system.pipe_file(f"cams/{path.relative_to(footage).as_posix()}", path.read_bytes())
        gcsfs.GCSFileSystem.clear_instance_cache()
        yield "gs://cams"
        gcsfs.GCSFileSystem.clear_instance_cache()


def test_a_bucket_of_google_is_archived_like_a_folder(tmp_path, helper, gs_bucket, footage):
    report = helper.local(tmp_path / "m", gs_bucket, per="camera")
    assert (report.archived, report.gone, report.undated) == (2, (), ())
    assert [failure.source for failure in report.failed] == ["gs://cams/yard/2023-11-02_15-00-00.mp4"]
    helper.local(tmp_path / "here", footage, per="camera")
    with Session(tmp_path / "m" / "yard") as far, Session(tmp_path / "here" / "yard") as near:
        question = "Was it red on 2 November 2023?"
        assert far.ask(question).answer == near.ask(question).answer
    assert helper.local(tmp_path / "m", f"{gs_bucket}/*/2023-11-02_14*.mp4").known == 2


def test_memories_are_copied_to_a_bucket_and_another_machine_goes_on(tmp_path, helper, bucket, footage, capsys):
    store = "s3://cams/memories/one"
    assert helper.local(tmp_path / "here", footage, per="camera", copy_to=store).archived == 2
    held = {entry["Key"] for entry in bucket.list_objects(Bucket="cams", Prefix="memories")["Contents"]}
    assert held == {f"memories/one/{name}" for name in ("archive.db", "run.json", "door.tar", "yard.tar")}
    report = helper.local(tmp_path / "there", footage, copy_to=store)
    assert (report.archived, report.known) == (0, 2)
    with Session(tmp_path / "there" / "door") as far, Session(tmp_path / "here" / "door") as near:
        question = "Was it red on 2 November 2023?"
        assert far.ask(question).answer == near.ask(question).answer
    bucket.delete_object(Bucket="cams", Key="memories/one/archive.db")
    asked = str(tmp_path / "asked")
    assert main(["archive", "fetch", "--copy-to", store, "--memories", asked]) == 2
    assert f"nothing is in {store}" in capsys.readouterr().err


def test_patterns_and_what_is_not_there(bucket):
    opened = open_sources(["s3://cams/*/2023-11-02_14*.mp4", "s3://cams/none", "s3://nobody/"])
    assert [source.uri for source in opened.sources] == [
        "s3://cams/door/2023-11-02_14-05-00.mp4",
        "s3://cams/yard/2023-11-02_14-05-00.mp4",
    ]
    assert [error.uri for error in opened.failed] == ["s3://cams/none", "s3://nobody"]
    below = open_sources(["s3://cams/[dx]*/"])  # a folder
    assert [source.uri for source in below.sources] == ["s3://cams/door/2023-11-02_14-05-00.mp4"]


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves files by ranges, and notes what was asked for."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        data = Path(self.translate_path(self.path)).read_bytes()
        wanted = self.headers.get("Range")
        self.asked.append((self.path, wanted))
        start, end = 0, len(data)
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(len(data), int(last) + 1 if last else len(data))
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(end - start))
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.end_headers()
        self.wfile.write(data[start:end])

    def send_head(self):
        self.extensions_map = {"": "application/octet-stream"}
        return super().send_head()

    def end_headers(self):
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()


@pytest.fixture
def web(footage):
    pytest.importorskip("aiohttp", reason="pip install aiohttp")
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *given: Ranges(*given, directory=str(footage))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Ranges.asked.clear()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_web_server_is_read_by_ranges_also_from_a_list(tmp_path, helper, web, footage):
    names = [f"{web}/{camera}/2023-11-02_14-05-00.mp4" for camera in ("door", "yard")]
    (footage / "list.txt").write_text("\n".join(names) + "\n\n")
    report = helper.local(tmp_path / "m", f"{web}/list.txt", per="camera")
    assert (report.archived, report.failed) == (2, ())
    films = [(path, wanted) for path, wanted in Ranges.asked if path.endswith(".mp4")]
    assert films
    assert all(wanted for _, wanted in films), films
    assert helper.local(tmp_path / "m", *names, per="camera").known == 2


@pytest.mark.parametrize(
    "address", ["https://me:hush@cams.example/a.mp4", "https://cams.example/a.mp4?Signature=hush"]
)
def test_an_address_with_a_key_is_refused_and_the_key_not_told(address):
    (error,) = open_sources([address]).failed
    assert error.uri == "https://cams.example/a.mp4"
    assert "hush" not in str(error)
