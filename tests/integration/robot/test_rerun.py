"""A log that was replayed, for Rerun's viewer: read back by Rerun's own program."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hippocam.apps.cli.main import main

pytest.importorskip("rerun", reason="needs pip install rerun-sdk")


def test_reruns_own_program_finds_pictures_state_pose_and_what_is_kept(tmp_path, media, capsys):
    media.render_lerobot(tmp_path / "arm", lengths=(10,))
    command = ["robot", "replay", str(tmp_path / "arm"), "--memory", str(tmp_path / "memory")]
    assert main([*command, "--encoder", "palette", "--rerun", str(tmp_path / "arm.rrd")]) == 0
    assert f"{tmp_path / 'arm.rrd'}: 10 pictures" in capsys.readouterr().out  # 5 a second of two cameras
    told = subprocess.run(
        [Path(sys.executable).with_name("rerun"), "rrd", "stats", tmp_path / "arm.rrd"],
        capture_output=True,
        text=True,
    )
    entities = set(re.findall(r"^/(\S+): \d+$", told.stdout, re.MULTILINE))
    episode = "arm/episode_000000"
    seen = {f"{episode}/{name}" for name in ("top", "wrist", "state", "action", "pose")}
    assert seen | {f"memory/{episode}/top", f"memory/{episode}/wrist"} <= entities, told.stderr
