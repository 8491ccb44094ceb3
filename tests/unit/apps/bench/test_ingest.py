import dataclasses
import json

import pytest

from hippocam.apps.bench.ingest import VARIANTS, ClipSpeed, IngestResult, Timing, run, table
from hippocam.apps.cli.main import main
from hippocam.stream.errors import HippocamError


@pytest.fixture
def clip(tmp_path, media):
    path = tmp_path / "clip.mp4"
    media.render_video(path, frames=90, fps=10, options=media.long_gop(50))
    return path


def speeds(clip="a.mp4", size=(1280, 720), **cpu_s):
    return ClipSpeed(
        clip=clip,
        size=size,
        seconds=60.0,
        variants={
            v: Timing(cpu_s=cpu_s.get(v, 1.0), wall_s=2 * cpu_s.get(v, 1.0), frames=60, encoded=30)
            for v in VARIANTS
        },
    )


def test_every_variant_is_measured_on_the_same_clip(clip):
    result = run([clip], encoder="palette", rounds=1)
    (found,) = result.clips
    assert found.clip == "clip.mp4"
    assert found.seconds == pytest.approx(9.0, abs=0.2)
    assert {v: t.frames for v, t in found.variants.items()} == {
        "decode": 9, "encode": 9, "watch": 9, "bare": 9, "opencv": 90, "fast": 2,
    }  # fmt: skip
    assert found.variants["encode"].encoded == found.variants["watch"].encoded
    assert found.variants["opencv"].encoded == 9
    assert all(t.cpu_s > 0 for t in found.variants.values())
    assert json.loads(json.dumps(dataclasses.asdict(result)))["clips"][0]["variants"]["watch"]["frames"] == 9


def test_ratios_and_overhead_are_those_of_the_times():
    clip = speeds(decode=1.0, encode=3.0, watch=5.0, bare=4.2, fast=0.5, opencv=8.4)
    assert clip.times_real("watch") == pytest.approx(60 / 5)
    assert clip.times_real("watch", wall=True) == pytest.approx(60 / 10)
    assert clip.overhead() == pytest.approx(0.05)
    result = IngestResult(
        encoder="bundled", fps=1.0, rounds=3, clips=(clip, speeds("b.mp4", (640, 360), watch=2.0))
    )
    assert result.total.seconds == 120
    assert result.total.variants["watch"].cpu_s == pytest.approx(7.0)
    told = table(result)
    assert "| a.mp4 | 1280x720 | 60 | 60 | 30 | 60.0 | 20.0 | 12.0 | 14.3 | 7.1 | 2.00 | 120 |" in told
    assert "| all |" in told
    verdict = told.splitlines()[-1]
    assert "(a.mp4)" in verdict  # the smaller clip says nothing about 720 lines
    assert verdict.count(": met") == 3
    slow = speeds(decode=1.0, encode=3.0, watch=8.0, bare=7.0, fast=2.0)
    assert table(dataclasses.replace(result, clips=(slow,))).count("missed") == 3


def test_what_cannot_be_measured_is_told(tmp_path, clip, capsys):
    with pytest.raises(HippocamError, match="no clip was given"):
        run([])
    with pytest.raises(HippocamError, match="--rounds must be 1 or more"):
        run([clip], rounds=0)
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    assert main(["bench", "ingest", "--videos", str(tmp_path / "no.mp4")]) == 2
    assert "no.mp4" in capsys.readouterr().err
    with pytest.raises(HippocamError, match="decode|encode failed"):
        run([clip], encoder="nobody", rounds=1)


def test_the_section_names_its_command(tmp_path, clip, capsys):
    out = tmp_path / "B.md"
    given = ["bench", "ingest", "--videos", str(clip), "--encoder", "palette", "--rounds", "1"]
    assert main([*given, "--out", str(out), "--json"]) == 0
    text = out.read_text()
    assert "## Ingest, encoder palette" in text
    assert "--encoder palette --rounds 1`" in text
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["encoder"] == "palette"
