import json

import pytest

from hippocam.apps.cli.bench import footage, options
from hippocam.apps.cli.bench.outcome import typed
from hippocam.apps.cli.main import main


@pytest.fixture
def _installed(tmp_path, monkeypatch):
    """As in a wheel, which has no tests/ beside it."""
    for module in (footage, options):
        monkeypatch.setattr(module, "FOOTAGE", tmp_path / "site-packages" / "tests" / "golden" / "footage")


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize("name", ["moments", "perception"])
def test_an_installed_one_says_which_annotations_to_give(tmp_path, capsys, name):
    assert main(["bench", name, "--videos", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "give your own with --truth FILE..., and with --absent FILE" in told


@pytest.mark.usefixtures("_installed")
def test_an_installed_one_takes_annotations_alone(tmp_path, capsys, colour_video):
    colour_video(tmp_path / "a.mp4", [("red", 4), ("blue", 4)])
    truth = {"video": "a.mp4", "events": [{"start": 4, "end": 8, "text": "something blue"}]}
    (tmp_path / "a.json").write_text(json.dumps(truth))
    given = ["--videos", str(tmp_path), "--truth", str(tmp_path / "a.json"), "--encoder", "palette"]
    assert main(["bench", "moments", *given, "--json"]) == 0
    (clip,) = json.loads(capsys.readouterr().out.splitlines()[-1])["clips"]
    assert clip["r1"] == 1.0


def test_a_section_names_what_was_typed_and_not_where_it_went(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clips = tmp_path / "my clips"
    words = ["qa", "q.json", "--videos", str(clips), "--out", "B.md", "--memories=kept", "--limit", "3", "--json"]
    assert typed(words) == "qa q.json --videos 'my clips' --limit 3"


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["bench", "moments", "--videos", str(tmp_path), "--truth", str(tmp_path / "no.json")]) == 2
    assert "no.json: no such file" in capsys.readouterr().err
