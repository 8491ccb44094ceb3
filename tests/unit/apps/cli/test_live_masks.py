"""`hippocam live add` says that footage which is kept shows what a mask hides."""

import pytest

from hippocam.apps.cli.main import main

ZONES = "yard:\n  masks:\n    - [[0, 0], [1, 0], [1, 0.2]]\ngate:\n  zones:\n    door: [[0, 0], [1, 0], [1, 1]]\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [((), True), (("--look-back-mb", "0"), False), (("--keep", "alerts"), True)],
)
def test_footage_that_is_kept_is_said_to_show_what_is_masked(tmp_path, monkeypatch, capsys, options, told):
    monkeypatch.setattr("hippocam.apps.live.live.watch_live", lambda *_, **__: [])
    (tmp_path / "zones.yaml").write_text(ZONES)
    zones = ["--zones", str(tmp_path / "zones.yaml")]
    assert main(["live", "add", "rtsp://cam/yard", "--memory", str(tmp_path / "m"), *zones, *options]) == 0
    said = "footage that is kept of yard shows what is masked" in capsys.readouterr().err
    assert said == told
