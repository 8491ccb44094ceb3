"""The command line as others call it, in processes of its own, on rendered footage whose truth is known."""

import json
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from hippocam.apps.cli.main import main

SCENES = [("green", 8), ("red", 5), ("blue", 7), ("green", 6)]


def hippocam(*arguments, cwd=None):
    command = [Path(sys.executable).parent / "hippocam", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=900, check=False)


def last_json(done):
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def watched(tmp_path_factory, colour_video):
    """A folder with a clip and the memory that watched it."""
    folder = tmp_path_factory.mktemp("watched")
    clip = colour_video(folder / "field.mp4", SCENES)
    done = hippocam("watch", clip, "--memory", folder / "m", "--encoder", "palette", "--json")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def memory(tmp_path, watched):
    """A copy that a test may change, beside the clip."""
    shutil.copytree(watched, tmp_path, dirs_exist_ok=True)
    return tmp_path / "m"


def test_python_runs_it_as_a_module(watched):
    """For whoever has no `hippocam` on the path: the same words, and the same end."""
    module = [sys.executable, "-m", "hippocam"]
    for arguments, code in ((["status", "--memory", str(watched / "m"), "--json"], 0), (["frobnicate"], 2)):
        done = subprocess.run([*module, *arguments], capture_output=True, text=True, timeout=900, check=False)
        same = hippocam(*arguments)
        assert (done.returncode, done.stdout, done.stderr) == (code, same.stdout, same.stderr)


def test_watch_reports_what_it_saw(tmp_path, colour_video):
    clip = colour_video(tmp_path / "field.mp4", SCENES)
    done = hippocam("watch", clip, "--memory", tmp_path / "m", "--encoder", "palette", "--budget-mb", 5, "--json")
    report = last_json(done)
    assert set(report) == {
        *("streams", "memory_bytes", "budget_bytes", "seconds", "times_real_time", "failed", "stages"),
    }
    counted = {stage["stage"]: stage["items"] for stage in report["stages"]}
    assert counted["decode"] == counted["gate"] == counted["memory"] == 26
    (stream,) = report["streams"]
    assert stream["id"] == "field"
    assert stream["duration_s"] == pytest.approx(26, abs=0.11)
    assert stream["frames_seen"] == 26
    assert stream["events"] == stream["entries"] == 4
    assert stream["frames_encoded"] < 10  # the gate counts a plain scene, and does not encode it
    assert report["budget_bytes"] == 5_000_000
    assert report["failed"] == []
    assert "real time" in done.stderr
    assert len(done.stdout.strip().splitlines()) == 1


def test_search_and_ask_name_the_true_moment(memory):
    (best, *_) = last_json(hippocam("search", "something red", "--memory", memory, "--json"))["moments"]
    named = "id stream t0_s t1_s score looks_like why image spans met place coarse thing visit box notes"
    assert set(best) == {*named.split(), "claimed", "imported"}
    assert (best["stream"], best["t0_s"], best["t1_s"]) == ("field", 8, 13)
    assert Path(best["image"]).read_bytes().startswith(b"\xff\xd8")
    assert Path(best["image"]).is_relative_to(memory)
    answer = last_json(hippocam("ask", "When was there something red?", "--memory", memory, "--json"))
    assert set(answer) >= {"answer", "unknown", "confidence", "evidence", "reader", "latency_ms"}
    assert not answer["unknown"]
    assert "0:08 to 0:13" in answer["answer"]
    assert answer["evidence"][0]["id"] == best["id"]


def test_ask_says_what_the_reader_was_given(memory):
    done = hippocam("ask", "How often was it green?", "--memory", memory, "--explain", "--top", 4)
    assert done.returncode == 0, done.stderr
    assert "extractive was given 4 moments, 0 with a picture:" in done.stdout
    assert "Perhaps twice: 0:00 to 0:08 in field; 0:20 to 0:26 in field [" in done.stdout
    answer = last_json(hippocam("ask", "red", "--memory", memory, "--json", "--after", "0:09", "--top", 1))
    assert [given["id"] for given in answer["given"]] == [e["id"] for e in answer["evidence"]]
    assert answer["sentences"][0]["evidence"] == answer["cited"] == [answer["evidence"][0]["id"]]
    assert answer["answer"].endswith("[1].")
    assert answer["failed"] == ""


def test_a_reader_without_its_server_shows_the_evidence_all_the_same(memory, monkeypatch, load_helpers):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    done = hippocam("ask", "When was there something red?", "--memory", memory, "--reader", "openai:m", "--json")
    assert done.returncode == 1
    assert "hippocam: reader openai:m: no server answers at http://127.0.0.1:9/v1" in done.stderr
    assert "the extractive reader worded this from the evidence alone" in done.stderr
    answer = last_json(done)
    assert "0:08 to 0:13" in answer["answer"]
    assert answer["failed"].startswith("openai:m: no server answers")
    stub = load_helpers("chat_stub.py")
    with stub.serving(stub.says_json("Something red was there [E2].", ["E2"])) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        done = hippocam(
            "ask", "Was it red?", "--memory", memory, "--reader", "openai:m", "--explain", "--before", 20
        )
    assert done.returncode == 0, done.stderr
    assert "Something red was there [" in done.stdout
    assert "--- system" in done.stdout
    assert "(picture, " in done.stdout
    assert server.requests[0]["messages"][1]["content"][-1]["text"] == 'Question: "Was it red?"'


def test_what_was_not_seen_is_said_to_be_unknown(memory):
    answer = last_json(hippocam("ask", "Was there something yellow?", "--memory", memory, "--json"))
    assert answer["unknown"] is True
    assert answer["confidence"] < 0.5
    assert "Not seen" in answer["answer"]


def test_at_uses_nothing_later(memory):
    def ask(at):
        return last_json(hippocam("ask", "something blue", "--memory", memory, "--at", at, "--json"))

    assert ask("0:10")["unknown"] is True
    late = ask("0:18")
    assert late["unknown"] is False
    assert all(e["t1_s"] <= 18 for e in late["evidence"])


def test_times_and_streams_filter(memory):
    def spans(*options):
        moments = last_json(hippocam("search", "green", "--memory", memory, "--json", *options))["moments"]
        return [m["t0_s"] for m in moments if m["score"] > 0.5]

    assert sorted(spans()) == [0, 20]
    assert spans("--after", "0:09") == [20]
    assert spans("--before", "10") == [0]
    assert spans("--stream", "field", "--after", "0:00:19.5") == [20]
    assert len(last_json(hippocam("search", "green", "--memory", memory, "--top", 1, "--json"))["moments"]) == 1


def test_status_by_stream_and_tier(memory):
    status = last_json(hippocam("status", "--memory", memory, "--json"))
    assert status["budget_bytes"] == 256_000_000
    assert status["streams"][0]["t0_s"] == 0
    assert status["streams"][0]["complete"] is True
    assert [t["name"] for t in status["tiers"]] == ["sensory", "working", "long-term"]
    done = hippocam("status", "--memory", memory)
    assert "field" in done.stdout
    assert "palette" in done.stdout


@pytest.fixture
def older_memory(tmp_path, load_helpers):
    """A memory of format 1 with ten entries, made with the encoder palette."""
    format_1 = load_helpers("unit/memory/store/format_1.py")
    format_1.SPEC |= {"id": "palette:1", "dim": 12}
    rows = format_1.entry_rows({"door": 10}, 12)
    format_1.make(tmp_path / "older" / "memory.db", rows)
    (tmp_path / "older" / "exemplars").mkdir()
    for row in rows:
        (tmp_path / "older" / "exemplars" / f"{row[0]:016x}.jpg").write_bytes(bytes(row[13]))
    return tmp_path / "older"


def test_an_older_memory_is_upgraded_by_command(older_memory):
    done = hippocam("status", "--memory", older_memory)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"hippocam upgrade --memory {older_memory}" in done.stderr
    done = hippocam("upgrade", "--memory", older_memory, "--json")
    assert last_json(done) == {"memory": str(older_memory), "from": 1, "to": 9}
    assert "is of format 9 already" in hippocam("upgrade", "--memory", older_memory).stdout
    moments = last_json(hippocam("search", "red", "--memory", older_memory, "--json"))["moments"]
    assert all(Path(moment["image"]).is_file() for moment in moments)
    assert last_json(hippocam("status", "--memory", older_memory, "--json"))["streams"][0]["entries"] == 10


def test_an_older_memory_is_upgraded_by_watching_into_it(older_memory, tmp_path, colour_video):
    clip = colour_video(tmp_path / "field.mp4", SCENES)
    done = hippocam("watch", clip, "--memory", older_memory)
    assert (done.returncode, done.stdout.count("watched")) == (0, 1), done.stderr
    streams = last_json(hippocam("status", "--memory", older_memory, "--json"))["streams"]
    assert {stream["id"]: stream["entries"] for stream in streams}["door"] == 10
    (best, *_) = last_json(hippocam("search", "red", "--memory", older_memory, "--stream", "field", "--json"))[
        "moments"
    ]
    assert (best["t0_s"], best["t1_s"]) == (8, 13)


def test_an_exported_and_imported_memory_answers_the_same(tmp_path, memory):
    def search(folder, text):
        moments = last_json(hippocam("search", text, "--memory", folder, "--json"))["moments"]
        for moment in moments:  # where it came from is the only thing that may differ
            moment.pop("imported")
            moment["why"] = moment["why"].partition("; from import ")[0]
        return [{**moment, "image": Path(moment["image"]).read_bytes()} for moment in moments]

    again = tmp_path / "again"
    assert hippocam("export", "--memory", memory, "--out", tmp_path / "m.jsonl").returncode == 0
    assert last_json(hippocam("import", tmp_path / "m.jsonl", "--memory", again, "--json"))["entries"] == 4
    for text in ("red", "something blue", "yellow"):
        assert search(again, text) == search(memory, text)
    done = hippocam("watch", "field.mp4", "--memory", again, cwd=tmp_path)
    assert "watched before" in done.stdout
    assert last_json(hippocam("status", "--memory", again, "--json"))["streams"][0]["entries"] == 4


def test_an_entry_is_explained_and_pinned(memory):
    (best, *_) = last_json(hippocam("search", "red", "--memory", memory, "--json"))["moments"]
    done = hippocam("explain", best["id"][:10], "--memory", memory)
    assert done.returncode == 0, done.stderr
    assert "0:08 - 0:13" in done.stdout
    assert "kept as an entry" in done.stdout
    assert "What keeps it: worth" in done.stdout
    assert hippocam("pin", best["id"], "--memory", memory).stdout == f"pinned {best['id']}\n"
    found = last_json(hippocam("explain", best["id"], "--memory", memory, "--json"))
    assert found["entry"]["pinned"] is True
    assert found["worth"]["of"] == 4
    assert hippocam("unpin", best["id"], "--memory", memory).returncode == 0
    assert last_json(hippocam("explain", best["id"], "--memory", memory, "--json"))["entry"]["pinned"] is False


def test_what_answered_a_question_is_known_to_have_been_of_use(tmp_path, memory):
    own = tmp_path / "own"
    shutil.copytree(memory, own)
    answer = last_json(hippocam("ask", "When was there something red?", "--memory", own, "--json"))
    first = answer["cited"][0]
    assert "used as evidence 0" in hippocam("explain", first, "--memory", own).stdout
    hippocam("pin", first, "--memory", own)  # any writer takes in what readers left
    assert "used as evidence 1" in hippocam("explain", first, "--memory", own).stdout
    hippocam("search", "something red", "--memory", own)
    hippocam("ask", "Was there anything purple?", "--memory", own)
    hippocam("pin", first, "--memory", own)
    assert "used as evidence 1" in hippocam("explain", first, "--memory", own).stdout


def test_watching_again_adds_nothing_and_says_so(tmp_path, memory):
    before = {p: p.stat().st_mtime_ns for p in (memory / "exemplars").iterdir()}
    done = hippocam("watch", "field.mp4", "--memory", memory, cwd=tmp_path)
    assert done.returncode == 0
    assert "watched before" in done.stdout
    assert {p: p.stat().st_mtime_ns for p in (memory / "exemplars").iterdir()} == before


def test_another_file_of_the_same_name_is_a_stream_of_its_own(tmp_path, memory, colour_video):
    (tmp_path / "b").mkdir()
    clip = colour_video(tmp_path / "b" / "field.mp4", [("yellow", 4)])
    report = last_json(hippocam("watch", clip, "--memory", memory, "--json"))
    assert [s["id"] for s in report["streams"]] == ["field-2"]
    (best, *_) = last_json(hippocam("search", "yellow", "--memory", memory, "--json"))["moments"]
    assert best["stream"] == "field-2"


def test_bad_sources_are_named_and_the_others_done(tmp_path, colour_video, media):
    clip = colour_video(tmp_path / "good.mp4", SCENES)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video")
    media.render_sound(tmp_path / "sound.m4a")
    media.cut(clip, tmp_path / "broken.mp4", 0.5)
    names = ["empty.mp4", "text.mp4", "sound.m4a", "broken.mp4", "missing.mp4", "good.mp4"]
    options = ["--memory", tmp_path / "m", "--encoder", "palette", "--json"]
    done = hippocam("watch", *[tmp_path / name for name in names], *options)
    assert done.returncode == 1
    report = last_json(done)
    assert [s["id"] for s in report["streams"] if s["entries"]] == ["good"]
    assert {Path(f["source"]).name for f in report["failed"]} == set(names) - {"good.mp4"}
    errors = [line for line in done.stderr.splitlines() if line.startswith("hippocam: ")]
    assert len(errors) == 5
    assert "Traceback" not in done.stderr


def test_a_truncated_video_keeps_what_can_be_read(tmp_path, media):
    media.render_video(
        tmp_path / "whole.mp4", frames=400, size=(320, 240), container_options={"movflags": "faststart"}
    )
    clip = media.cut(tmp_path / "whole.mp4", tmp_path / "cut.mp4", 0.6)
    done = hippocam("watch", clip, "--memory", tmp_path / "m", "--encoder", "palette", "--json")
    assert done.returncode == 1
    report = last_json(done)
    assert 3 < report["streams"][0]["duration_s"] < 16
    assert "truncated" in report["failed"][0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["wach", "a.mp4"], "invalid choice: 'wach'. Did you mean 'watch'?"),
        (["watch", "a.mp4", "--executor", "spark"], "(choose from 'local', 'ray')"),
        (["ask", "who?", "--memory", "nowhere"], "no memory here; make one with: hippocam watch"),
        (["status", "--memory", "photos"], "no memory here"),
        (
            ["watch", "field.mp4", "--memory", "photos", "--encoder", "palette"],
            "and no memory; give another --memory folder",
        ),
        (["watch", "a.mp4", "--encoder", "pallete"], "Did you mean 'palette'"),
        (["watch", "a.mp4", "--encoder", "palette", "--budget-mb", "0.2"], "budget must be 0.4 MB or more"),
        (["watch", "a.mp4", "--encoder", "palette", "--fps", "0"], "fps must be above 0"),
        (["watch", "a.mp4", "--config", "nothing"], "static-camera"),
        (["watch", "a.mp4", "--config", "bad.yaml"], "memory: working: unknown key 'gama'. Did you mean 'gamma'?"),
        (["search", " ", "--memory", "m"], "text is empty"),
        (["search", "red", "--memory", "m", "--stream", "other"], "stream 'other' is not in this memory"),
        (["ask", "red", "--memory", "m", "--reader", "oracle"], "oracle"),
        (["ask", "red", "--memory", "m", "--at", "soon"], "write seconds, MM:SS or HH:MM:SS.mmm"),
        (["ask", "red", "--memory", "m", "--reader", "openai"], "set OPENAI_BASE_URL"),
        (["ask", "red", "--memory", "m", "--reader", "transformers"], "transformers:/models/"),
        (["ask", "red", "--memory", "m", "--camera", "door"], "camera 'door' is not in this memory"),
        (["search", "red", "--memory", "m", "--near", "1,2"], "is no X,Y,R: write metres"),
        (["search", "red", "--memory", "m", "--place-of", "zz"], "entry 'zz' is no id"),
        (
            ["watch", "field.mp4", "--memory", "m", "--encoder", "conse"],
            "use --encoder palette or another",
        ),
        (["watch", "field.mp4", "--memory", "n", "--encoder", "onnx:photos"], "hippocam models export open_clip:"),
        (["entities", "undo", "1", "--memory", "m"], "no change 1 to undo"),
        (["robot", "serve", "--memory", "m", "--port", "99999999"], "'99999999' is no port: write 0 to 65535"),
        (["web", "--memory", "m", "--port=-1"], "'-1' is no port"),
        (
            ["robot", "serve", "--memory", "m", "--deadline-ms", "nan"],
            "'nan' is no time limit: write milliseconds",
        ),
        (["search", "red", "--memory", "m", "--after=--"], "time '--' is not understood"),
        (["search", "red", "--memory", "m", "--stream=--"], "stream '--' is not in this memory"),
        (["export", "--memory", "m", "--after", "9" * 30], "is not understood: write seconds, MM:SS"),
        (["status", "--memory", "m", "--config", "y" * 5000], "y: File name too long; see to the path"),
        (["watch", "field.mp4", "--memory", "y" * 5000], "y: File name too long; see to the path"),
        (["archive", "field.mp4", "--memories", "bad.yaml/there"], "Not a directory; see to the path"),
        (["entities", "split", "00000000000000aa", "--memory", "m"], "`hippocam entities --json` lists them"),
    ],
)
@pytest.mark.usefixtures("memory")
def test_wrong_use_is_one_line_that_names_the_fix(tmp_path, monkeypatch, capsys, arguments, line):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    (tmp_path / "bad.yaml").write_text("memory: {working: {gama: 1}}")
    monkeypatch.chdir(tmp_path)
    try:
        code = main(arguments)
    except SystemExit as ended:  # what an option cannot be: the usage comes before the line
        code = ended.code
    *before, said = capsys.readouterr().err.splitlines()
    assert code == 2
    assert line in said
    assert not before or before[0].startswith("usage: ")


def test_without_a_command_the_help_says_how_to_begin(capsys):
    assert main([]) == 2
    assert "Begin with `hippocam watch VIDEO`" in capsys.readouterr().out


def test_help_loads_nothing_heavy():
    code = """
import sys
from hippocam.apps.cli.main import main
try:
    main(["--help"])
except SystemExit:
    pass
heavy = {"torch", "ray", "faiss", "gradio", "transformers", "httpx", "onnxruntime", "cv2", "decord", "av", "numpy"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "watch" in done.stdout


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 400 KB; only root can mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here (it takes root)")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path, colour_video, small_disk):
    clip = colour_video(tmp_path / "field.mp4", SCENES)
    memory = small_disk / "m"
    assert hippocam("watch", clip, "--memory", memory, "--encoder", "palette").returncode == 0
    other = colour_video(tmp_path / "other.mp4", [("yellow", 4), ("red", 4)] * 3)
    (small_disk / "ballast").touch()
    with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(b"x" * 512)
    done = hippocam("watch", other, "--memory", memory)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()[-1].split("hippocam: ")) == 2
    assert "room on its disk" in done.stderr or "free some disk space" in done.stderr
    assert "Traceback" not in done.stderr
    (small_disk / "ballast").unlink()

    def first(text):
        return last_json(hippocam("search", text, "--memory", memory, "--json"))["moments"][0]["stream"]

    assert first("red") == "field"
    assert hippocam("watch", other, "--memory", memory).returncode == 0
    assert first("yellow") == "other"
