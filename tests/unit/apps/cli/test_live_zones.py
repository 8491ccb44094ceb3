"""`hippocam live add --zones` tells a name that no camera has: nobody would hide what was to be hidden."""

import pytest

from hippocam.apps.cli.main import main


@pytest.mark.parametrize(
    ("names", "told"),
    [(("yard", "gate"), ""), (("ya*",), ""), (("yrad", "gate"), "zones: no camera is called yrad")],
)
def test_a_name_that_no_camera_has_is_told(tmp_path, monkeypatch, capsys, names, told):
    monkeypatch.setattr("hippocam.apps.live.live.watch_live", lambda *_, **__: [])
    zones = tmp_path / "zones.yaml"
    zones.write_text("".join(f"{name}:\n  masks:\n    - [[0, 0], [1, 0], [1, 0.2]]\n" for name in names))
    command = ["live", "add", "yard=rtsp://h/1", "gate=rtsp://h/2", "--memory", str(tmp_path / "m")]
    assert main([*command, "--zones", str(zones)]) == 0
    said = capsys.readouterr().err
    assert told in said
    assert ("zones" in said) == bool(told)
