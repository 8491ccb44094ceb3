"""Whatever is in names and words, a terminal gets lines of ours, and nothing else."""

from __future__ import annotations

import io
import json
import logging
import os
import sqlite3
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocam.apps.cli.main import main
from hippocam.apps.terminal import printable, tell
from hippocam.apps.wording import legible
from hippocam.memory.memory import Memory

RAW = "two\nhippocam: all is well\x1b[31m\x9b31m\r\u2028\u202egnp.exe\x00\udce9"


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=40) | st.just(RAW))
def test_nothing_steers_a_terminal(text):
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    kinds = {unicodedata.category(letter) for letter in shown} - {"Cf"}
    assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
    assert not any(letter in shown for letter in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069")
    shown.encode()  # any UTF-8 terminal takes it


@pytest.mark.parametrize("text", ["дом 🐶", "a\u00a0b\u3000c", "👩\u200d👧", "naïve 100% [x]", ""])
def test_words_stay_as_they_are(text):
    assert printable(text) == text


def test_each_argument_is_one_line(capsys):
    tell("a\nb", "c\x1b[0m")
    tell()
    assert capsys.readouterr().out == "a\\nb\nc\\x1b[0m\n\n"


def test_what_is_no_text_is_replaced():
    assert legible("caf\udce9 \ud800") == "caf\ufffd \ufffd"


class Done(NamedTuple):
    """How a command ended, and what it said."""

    code: int | str | None
    out: bytes
    err: bytes

    @property
    def harmless(self) -> bool:
        said = self.out + self.err
        line_of_others = any(line.startswith(b"hippocam: all") for line in said.splitlines())
        return b"Traceback" not in said and b"\x1b" not in said and not line_of_others


def hippocam(monkeypatch, *arguments: bytes | str | Path, encoding: str = "utf-8") -> Done:
    """Run a command whose arguments are any bytes, on a terminal of an encoding."""
    out, err = io.BytesIO(), io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9?\n"), encoding=encoding))
        patch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding=encoding))
        patch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding=encoding))
        try:
            code: int | str | None = main([os.fsdecode(argument) for argument in arguments])
        except SystemExit as exit:  # of argparse
            code = exit.code
        sys.stdout.flush(), sys.stderr.flush()
        return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def film(tmp_path_factory, media):
    """A film whose name has letters, a line break and an escape sequence."""
    path = tmp_path_factory.mktemp("films") / "дом 🐶\nhippocam: all is well\x1b[31m.mp4"
    media.render_video(path, frames=30)
    return path


@pytest.fixture
def memory(tmp_path, film, monkeypatch):
    """A memory of the film; a broken twin of it was told to be broken."""
    broken = film.with_name(f"broken {film.name}")
    broken.write_bytes(film.read_bytes()[:300])
    done = hippocam(
        monkeypatch, "watch", film, broken, "--encoder", "palette", "--memory", tmp_path / "m", encoding="latin-1"
    )
    assert done.code == 1
    assert done.harmless
    assert b"hippocam: " in done.err.splitlines()[-1]
    return tmp_path / "m"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_any_terminal_and_any_argument(memory, encoding, monkeypatch):
    for arguments in (
        ["status"],
        ["status", "--json"],
        ["search", b"caf\xe9 red"],
        ["search", b"caf\xe9 red", "--json"],
        ["ask", b"was it red, caf\xe9\x1b[31m?", "--explain"],
        ["ask", b"was it red, caf\xe9\x1b[31m?", "--explain", "--json"],
        ["chat"],
        ["entities", "--label", b"caf\xe9"],
    ):
        done = hippocam(monkeypatch, *arguments, "--memory", memory, encoding=encoding)
        assert (done.code, done.harmless) == (0, True), (arguments, done)
        if "--json" in arguments:
            assert done.out.isascii()
            assert isinstance(json.loads(done.out.splitlines()[-1]), dict)


def test_an_export_that_is_only_looked_at_is_harmless_too(memory, monkeypatch):
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    with Memory.open_reader(memory) as reader:
        (stream,) = reader.streams()
    with sqlite3.connect(memory / "memory.db") as db:
        db.execute("UPDATE entry SET text = ?", ("\x1b[31m\nhippocam: all is well",))
    shown = io.BytesIO()
    for kind in ("jsonl", "csv", "srt", "vtt"):
        monkeypatch.setattr(sys, "stdout", Terminal(shown, encoding="utf-8"))
        assert main(["export", "--format", kind, "--memory", str(memory)]) == 0
        sys.stdout.detach()
    assert stream.id.encode() in shown.getvalue()
    assert b"\x1b" not in shown.getvalue()


BAD = b"caf\xe9\nhippocam: all is well\x1b[31m"


@pytest.mark.parametrize(
    "arguments",
    [
        [BAD],
        ["status", b"--" + BAD],
        ["status", "--memory", BAD],
        ["search", "red", "--stream", BAD],
        ["search", "red", "--after", BAD],
        ["watch", BAD],
        ["watch", "x.mp4", "--config", BAD],
        ["import", BAD],
        ["live", "add", BAD],
        ["archive", BAD],
        ["web", "--host", BAD],
    ],
    ids=lambda arguments: " ".join(map(str, arguments[:-1])),
)
def test_wrong_arguments_are_told_without_repeating_them_raw(tmp_path, arguments, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = hippocam(monkeypatch, *arguments)
    assert done.code in (1, 2)
    assert done.harmless, done


def test_a_process_with_bytes_that_are_no_text(tmp_path):
    command = [sys.executable, "-m", "hippocam.apps.cli.main", "status", "--memory", b"caf\xe9\x1b[31m"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii:strict"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, timeout=250, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"hippocam: caf?\\x1b[31m: no memory here")


def test_what_nobody_logs_is_one_line(capsys, monkeypatch):
    from hippocam.apps import terminal

    monkeypatch.setattr(logging, "lastResort", logging.StreamHandler(sys.stderr))
    terminal.prepare()
    logging.lastResort.handle(logging.makeLogRecord({"msg": "bad file: %s", "args": ("a\n\x1b[31m",)}))
    assert capsys.readouterr().err == "bad file: a\\n\\x1b[31m\n"
