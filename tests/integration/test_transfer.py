"""Memories out and in again: the same answers, tables and chapters that others can read, hostile files refused."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hippocam.apps.errors import LineError
from hippocam.apps.sentences.contents import Chapter
from hippocam.apps.transfer import FORMATS
from hippocam.apps.transfer.chapters import srt_cues, vtt_cues
from hippocam.apps.transfer.exporting import export, write_file
from hippocam.apps.transfer.importing import import_file
from hippocam.memory.bank.codes import codes_of
from hippocam.memory.codec import pack, rounded
from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import EncoderMismatchError, MemoryFolderError
from hippocam.memory.longterm.scene import summary_id
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Entry, Level, Span, format_id, id_of
from hippocam.memory.store.database import Store
from hippocam.memory.store.entries import EntryRow
from hippocam.memory.store.exemplars import Exemplars
from hippocam.memory.store.notes import NoteRow, note_id, row_of
from hippocam.memory.store.summaries import Kind, Summary
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import EncoderSpec, FloatArray, Note, Sensors

D = 12
SPEC = EncoderSpec(id="palette:1", dim=D, normalised=True, midpoint=0.3, slope=20.0, growth=0.01)
STREAMS = {
    # id: recording, source, fingerprint, fps, end_s, last_seq, complete, seen, encoded, events, evicted
    "door": ("door", "/films/door.mp4", "77:aa:bb", 1.0, 4000.5, 3999, 1, 4000, 300, 60, 20),
    "rig/left": ("rig", "/logs/rig", "12:cc:dd", None, 90.0, 899, 0, 900, 900, 9, 0),
    "rig/right": ("rig", "/logs/rig", "12:cc:dd", None, 0.0, -1, 0, 0, 0, 0, 0),
}
HOSTILE_WORDS = 'a <b>bold</b> & "quoted"\n\n00:00:01.000 --> 00:00:09.000\nkick, {\\an8}\x07 ärmel'


def unit(rng: np.random.Generator) -> FloatArray:
    vector = rng.normal(size=D).astype(np.float32)
    return rounded(vector / np.linalg.norm(vector))


def make_entries(stream: str, count: int) -> Iterator[tuple[Entry, FloatArray | None, FloatArray | None, bytes]]:
    """Entries with every field of their own, at all levels, with one to four spans."""
    rng = np.random.default_rng(len(stream))
    for k in range(count):
        t0_s = 21.625 * k + 0.0625
        starts = [t0_s + 700.5 * n for n in range(1 + k % 4)]
        spans = tuple(Span(t0_s=s, t1_s=s + 4.25 * (k % 3), known_s=s + 1) for s in starts)
        level = Level((0, 0, 1, 0, 2, 0, 3)[k % 7])
        jpeg = b"\xff\xd8 " + f"{stream} {k}".encode() * (k % 5 + 1) if level < Level.VECTORS else b""
        robot = stream != "door"
        yield (
            Entry(
                id=id_of(stream, 3 * k), stream=stream, t0_s=t0_s, t1_s=spans[0].t1_s, known_s=spans[0].known_s,
                frame_s=t0_s + 0.5, surprise=float(rng.uniform(0, 2)), utility=float(rng.uniform(0, 3)),
                labels=("red lorry", "cup") if k % 3 else (), text=HOSTILE_WORDS if k % 5 == 3 else "",
                frames=k + 1, repeats=2 * k, jpeg_bytes=len(jpeg), spans=spans, strength=1 + k / 8, met=k + 1,
                uses=k % 4, pinned=k % 6 == 1, level=level, place=k % 3, first_seq=3 * k,
                sensors=Sensors(
                    state=rng.normal(size=6).astype(np.float32) if robot and level < Level.WORDS else None,
                    action=rng.normal(size=0).astype(np.float32) if robot and level < Level.WORDS else None,
                    pose=rng.normal(size=7).astype(np.float32) if robot else None,
                ),
            ),
            None if level is Level.WORDS else unit(rng),
            None if level is Level.WORDS else unit(rng),
            jpeg,
        )  # fmt: skip


def packed(*vectors: FloatArray | None) -> list[bytes | None]:
    return [None if vector is None else pack(vector) for vector in vectors]


def make_memory(folder: Path, counts: dict[str, int]) -> Path:
    """A memory as if it had been watched."""
    (folder / "exemplars").mkdir(parents=True)
    store, exemplars = Store(folder / "memory.db", writable=True), Exemplars(folder / "exemplars")
    with store.transaction():
        store.meta.set_encoder("palette", SPEC)
        store.meta.put(budget_bytes=50_000_000)
        for stream, count in counts.items():
            recording, source, fingerprint, fps, *progress = STREAMS[stream]
            store.streams.add(stream, recording, source, fingerprint, fps)
            newest = 0
            for entry, key, scene, jpeg in make_entries(stream, count):
                newest = entry.id
                store.entries.restore(EntryRow(entry, *packed(key, scene)), jpeg)
                if jpeg:
                    exemplars.write(entry.id, jpeg)
            columns = "end_s last_seq complete frames_seen frames_encoded events evicted".split()
            values = (*progress, newest or None, stream)
            sets = ", ".join(f"{column} = ?" for column in columns)
            store.connection.execute(f"UPDATE stream SET {sets}, newest = ? WHERE id = ?", values)
        store.places.put("rig/left", 2, unit(np.random.default_rng(5)), 7, 80.5)
        for kind, parent in ((Kind.DAY, None), (Kind.CHAPTER, Kind.DAY), (Kind.SCENE, Kind.CHAPTER)):
            store.summaries.put(
                Summary(
                    id=summary_id("door", kind, 0), stream="door", kind=kind,
                    parent=parent and summary_id("door", parent, 0), first_seq=0, t0_s=0.0, t1_s=4000.5,
                    known_s=3999.0, seconds=120.5, events=60, place=1, exemplar=id_of("door", 3),
                    vector_D=unit(np.random.default_rng(kind)), words=(("cup", 7), ("red lorry", 2)),
                )
            )  # fmt: skip
        for text in ("Wet paint", "Nass! „frisch“ gestrichen"):
            shown = Note(stream="door", kind="screen", t0_s=12.5, t1_s=90.25, text=text)
            store.notes.put(
                NoteRow(id=note_id("door", "screen", 12.5, "Wet pant"[len(text) % 3 :]), note=shown, known_s=14.0)
            )
        store.notes.put(row_of(Note(stream="rig/left", kind="speech", t0_s=1 / 3, t1_s=2.5, text="Lift it")))
        note = next(make_entries("door", 1))[0].id
        store.journal.add("door", 4000.5, "kept", note, None, '{"cut":"end"}', keep=100)
    store.close()
    return folder


COUNTS = {"door": 40, "rig/left": 9, "rig/right": 0}


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return make_memory(tmp_path / "m", COUNTS)


@pytest.fixture
def exported(tmp_path: Path, memory: Path) -> Path:
    write_file(tmp_path / "m.jsonl", export(memory, "jsonl"), memory=memory)
    return tmp_path / "m.jsonl"


def rows(folder: Path, table: str, columns: str) -> list[tuple[Any, ...]]:
    store = Store(folder / "memory.db", writable=False)
    found = store.connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall()
    store.close()
    return found


def everything(folder: Path) -> dict[str, Any]:
    """All that a memory answers from, to the byte."""
    stream = (
        "id, recording, source, fingerprint, fps, end_s, last_seq, complete, frames_seen, frames_encoded, events"
    )
    return {
        "streams": rows(folder, "stream", f"{stream}, evicted, newest"),
        "entries": rows(folder, "entry", "*"),
        "places": rows(folder, "place", "*"),
        "summaries": rows(folder, "summary", "*"),
        "words": rows(folder, "words", "rowid, *"),
        "notes": rows(folder, "note", "*"),
        "words noted": rows(folder, "words_noted", "rowid, *"),
        "pictures": {file.name: file.read_bytes() for file in (folder / "exemplars").iterdir()},
        "encoder": [row for row in rows(folder, "meta", "*") if row[0] in ("encoder", "spec", "budget_bytes")],
    }


def answers(folder: Path) -> list[Any]:
    """What is recalled for many questions."""
    rng, found = np.random.default_rng(9), []
    with Memory.open_reader(folder) as memory:
        for k in range(30):
            query = Query(
                text=("", "a red lorry", "bold ärmel", "wet paint")[k % 4],
                vector=unit(rng),
                stream=(None, "door", "rig")[k % 3] if k % 2 else None,
                after_s=100.0 if k % 5 == 0 else None,
                at_s=600.0 if k % 7 == 0 else None,
                top=1 + k % 12,
            )
            found.append([(c.entry.id, c.entry.spans, c.score, c.cosine, c.words) for c in memory.recall(query)])
    return found


# out and in ----------------------------------------------------------------------------------------------


def test_an_imported_memory_is_the_same_and_answers_the_same(tmp_path: Path, memory: Path, exported: Path) -> None:
    report = import_file(exported, tmp_path / "again")
    assert report.streams == tuple(COUNTS)
    assert (report.entries, report.held, report.known) == (49, 49, ())
    assert report.budget_bytes == 50_000_000
    assert everything(tmp_path / "again") == everything(memory)
    assert answers(tmp_path / "again") == answers(memory)
    assert any(answers(memory))
    assert list(export(tmp_path / "again", "jsonl")) == exported.read_text().splitlines(keepends=True)


def test_importing_twice_adds_nothing(tmp_path: Path, exported: Path) -> None:
    import_file(exported, tmp_path / "again")
    before = everything(tmp_path / "again")
    journal = rows(tmp_path / "again", "journal", "*")
    report = import_file(exported, tmp_path / "again")
    assert (report.streams, report.entries) == (("rig/right",), 0)  # of which nothing is there to know it by
    assert report.known == ("door", "rig/left")
    assert everything(tmp_path / "again") == before
    assert rows(tmp_path / "again", "journal", "*") == journal


def test_an_import_adds_to_what_a_memory_has(tmp_path: Path) -> None:
    doors, rigs = make_memory(tmp_path / "doors", {"door": 20}), make_memory(tmp_path / "rigs", {"rig/left": 9})
    write_file(tmp_path / "rigs.jsonl", export(rigs, "jsonl"), memory=rigs)
    wanted = sorted(everything(doors)["entries"] + everything(rigs)["entries"])
    import_file(tmp_path / "rigs.jsonl", doors)
    assert sorted(everything(doors)["entries"]) == wanted
    assert import_file(tmp_path / "rigs.jsonl", doors).entries == 0


def test_an_import_that_was_cut_short_is_gone_on_with(
    tmp_path: Path, memory: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hippocam.memory.transfer import Restoring

    whole, taken = Restoring.entry, 0

    def failing(self: Restoring, row: Any, jpeg: bytes | None) -> bool:
        nonlocal taken
        taken += 1
        if taken > 25:
            raise KeyboardInterrupt
        return whole(self, row, jpeg)

    monkeypatch.setattr(Restoring, "entry", failing)
    with pytest.raises(KeyboardInterrupt):
        import_file(exported, tmp_path / "again")
    monkeypatch.undo()
    assert len(rows(tmp_path / "again", "entry", "*")) == 25
    assert import_file(exported, tmp_path / "again").entries == 24
    assert everything(tmp_path / "again") == everything(memory)


def test_without_pictures_the_entries_come_without(tmp_path: Path, memory: Path) -> None:
    write_file(tmp_path / "small.jsonl", export(memory, "jsonl", pictures=False), memory=memory)
    assert '"jpeg":null' in (text := (tmp_path / "small.jsonl").read_text())
    assert '"jpeg":"' not in text
    import_file(tmp_path / "small.jsonl", tmp_path / "again")
    assert list((tmp_path / "again" / "exemplars").iterdir()) == []
    levels = {row[0]: row[1] for row in rows(memory, "entry", "id, level")}
    found = rows(tmp_path / "again", "entry", "id, level, jpeg_bytes")
    assert found == [(entry_id, max(level, Level.VECTORS), 0) for entry_id, level in sorted(levels.items())]
    assert answers(tmp_path / "again") == answers(memory) or _same_but_levels(tmp_path / "again", memory)


def _same_but_levels(one: Path, other: Path) -> bool:
    return [[c[0] for c in found] for found in answers(one)] == [[c[0] for c in found] for found in answers(other)]


def test_one_stream_can_be_taken_alone(tmp_path: Path, memory: Path) -> None:
    write_file(tmp_path / "rig.jsonl", export(memory, "jsonl", stream="rig"), memory=memory)
    assert import_file(tmp_path / "rig.jsonl", tmp_path / "again").streams == ("rig/left", "rig/right")
    assert len(rows(tmp_path / "again", "entry", "*")) == 9
    with pytest.raises(HippocamError, match="stream 'gate' is not in this memory; it holds door, rig/left"):
        list(export(memory, "jsonl", stream="gate"))


def test_outlines_are_taken_over_to_the_byte(tmp_path: Path) -> None:
    spec = EncoderSpec(id="bundled:3", dim=385, normalised=True, midpoint=0.3, slope=20.0)
    Memory.open_writer(tmp_path / "m", encoder="bundled", spec=spec).close()
    codes, rng = codes_of(spec.id, spec.dim), np.random.default_rng(0)
    store = Store(tmp_path / "m" / "memory.db", writable=True)
    with store.transaction():
        store.streams.add("door", *STREAMS["door"][:4])
        for k, (entry, _, _, _) in enumerate(make_entries("door", 6)):
            code = codes.code(short=k % 2 > 0)
            vectors = (code.pack(rng.normal(size=385).astype(np.float32)) for _ in range(2))
            store.entries.restore(EntryRow(replace(entry, level=Level.SIGNS, jpeg_bytes=0), *vectors))
    store.close()
    write_file(tmp_path / "m.jsonl", export(tmp_path / "m", "jsonl"), memory=tmp_path / "m")
    import_file(tmp_path / "m.jsonl", tmp_path / "again", encoder="bundled")
    held = rows(tmp_path / "m", "entry", "id, level, key, scene")
    assert {len(row[2]) for row in held} == {20, 36}
    assert rows(tmp_path / "again", "entry", "id, level, key, scene") == held


def test_the_journal_is_there_for_reading(tmp_path: Path, memory: Path) -> None:
    write_file(tmp_path / "j.jsonl", export(memory, "jsonl", journal=True), memory=memory)
    told = [json.loads(line) for line in (tmp_path / "j.jsonl").read_text().splitlines()]
    (row,) = [line for line in told if line.get("kind") == "journal"]
    assert (row["action"], row["stream"], row["why"]) == ("kept", "door", '{"cut":"end"}')
    import_file(tmp_path / "j.jsonl", tmp_path / "again")
    assert {action for _, action in rows(tmp_path / "again", "journal", "id, action")} == {"imported"}


def test_a_small_budget_is_kept_to(tmp_path: Path) -> None:
    memory = make_memory(tmp_path / "m", {"door": 0})
    store, exemplars = Store(memory / "memory.db", writable=True), Exemplars(memory / "exemplars")
    with store.transaction():
        for entry, key, scene, _ in make_entries("door", 120):
            jpeg = b"\xff\xd8" + bytes(30_000)
            values = {f: getattr(entry, f) for f in Entry.__slots__} | {"jpeg_bytes": len(jpeg), "pinned": False}
            if key is not None:
                whole = Entry(**(values | {"level": Level.FULL}))
                store.entries.restore(EntryRow(whole, *packed(key, scene)), jpeg)
                exemplars.write(entry.id, jpeg)
    store.close()
    write_file(tmp_path / "m.jsonl", export(memory, "jsonl"), memory=memory)
    report = import_file(tmp_path / "m.jsonl", tmp_path / "again", budget_mb=1.5)
    du = subprocess.run(["du", "-sb", tmp_path / "again"], capture_output=True, check=True)
    assert int(du.stdout.split()[0]) <= 1_500_000
    assert report.budget_bytes == 1_500_000
    assert report.memory_bytes <= 1_500_000
    again = import_file(tmp_path / "m.jsonl", tmp_path / "again")
    assert (again.entries, again.held, again.known) == (0, report.held, ("door",))  # what was given up stays so


def test_another_encoder_or_another_recording_is_refused(tmp_path: Path, memory: Path, exported: Path) -> None:
    other = EncoderSpec(id="test:2", dim=D, normalised=True, midpoint=0.5, slope=20.0)
    Memory.open_writer(tmp_path / "other", encoder="test", spec=other).close()
    with pytest.raises(EncoderMismatchError, match="made with encoder test"):
        import_file(exported, tmp_path / "other")
    with pytest.raises(HippocamError, match="made with encoder palette, not conse"):
        import_file(exported, tmp_path / "new", encoder="conse")
    Memory.open_writer(tmp_path / "same", encoder="palette", spec=SPEC).close()
    store = Store(tmp_path / "same" / "memory.db", writable=True)
    store.streams.add("door", "door", "/films/another.mp4", "99:ee:ff", 1.0)
    store.close()
    with pytest.raises(HippocamError, match="its stream 'door' is another one than 'door' in this memory"):
        import_file(exported, tmp_path / "same")
    assert rows(tmp_path / "same", "entry", "*") == []


def test_an_encoder_that_is_loaded_from_elsewhere_must_be_agreed_to(
    tmp_path: Path, memory: Path, exported: Path
) -> None:
    foreign = exported.read_text().replace('"encoder":"palette"', '"encoder":"open_clip:ViT-B-32//tmp/evil.pt"')
    (tmp_path / "foreign.jsonl").write_text(foreign)
    with pytest.raises(HippocamError, match="if you trust it, say so with --encoder open_clip:ViT-B-32//tmp/evil"):
        import_file(tmp_path / "foreign.jsonl", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    import_file(tmp_path / "foreign.jsonl", tmp_path / "new", encoder="open_clip:ViT-B-32//tmp/evil.pt")
    assert rows(tmp_path / "new", "meta", "*")[2][1] == '"open_clip:ViT-B-32//tmp/evil.pt"'


# files of others -----------------------------------------------------------------------------------------


def blob(data: bytes) -> str:
    return base64.b64encode(data).decode()


def changed(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda line: line.update(values)


def vector(**values: Any) -> FloatArray:
    made = np.zeros(D, np.float32)
    made[0] = values.get("length", 1.0)
    return made


ENTRY_LINE = 8  # a line of stream "door", entry 0
BAD_ENTRIES = {
    "path in the id": (changed(id="../../../../etc/x"), "'id' must be 16 hexadecimal digits"),
    "slash in the id": (changed(id="0123456789abcde/"), "'id' must be 16 hexadecimal digits"),
    "id of another": (changed(id="0123456789abcdef"), "'id' 0123456789abcdef is not that of position 0"),
    "id too great": (changed(id="f" * 16), "must be below"),
    "id is a number": (changed(id=7), "'id' must be 16 hexadecimal digits, found 7"),
    "unknown stream": (changed(stream="gate"), "is not that of position 0 in stream 'gate'"),
    "no JPEG": (changed(jpeg=blob(b"<html>")), "'jpeg' is no JPEG"),
    "huge JPEG": (changed(jpeg="/9j/" + "A" * (23 << 20)), "'jpeg' must be base64 of 16777216 bytes at most"),
    "no base64": (changed(jpeg="***"), "'jpeg' is not base64"),
    "short key": (changed(key=blob(pack(vector())[:-1])), "'key' must be 16 bytes"),
    "long scene": (changed(scene=blob(pack(vector()) + b"x")), "'scene' must be"),
    "no key": (changed(key=None), "'key' and 'scene' must be there"),
    "long vector": (changed(key=blob(pack(vector(length=9.0)))), "must be a vector of length 1, found 9"),
    "vector of NaN": (changed(key=blob(b"\0\0\xc0\x7f" + b"\x01" * D)), "must be a vector of length 1, found nan"),
    "endless vector": (changed(key=blob(b"\0\0\x80\x7f" + b"\x01" * D)), "must be a vector of length 1"),
    "odd state": (changed(state=blob(b"abc")), "'state' must be float32 values"),
    "short pose": (changed(pose=blob(bytes(24))), "'pose' must be 7 numbers, found 6"),
    "no spans": (changed(spans=[]), "'spans' must be a list of 1 to 4"),
    "too many spans": (changed(spans=[[0, 1, 1]] * 5), "'spans' must be a list of 1 to 4"),
    "half a span": (changed(spans=[[0, 1]]), "must hold [t0_s, t1_s, known_s]"),
    "span backwards": (changed(spans=[[5, 1, 1]]), "ends at 1 s, before its start at 5 s"),
    "span far away": (changed(spans=[[0, 1e300, 1]]), "must be a number from"),
    "words for a time": (changed(frame_s="soon"), "'frame_s' must be a number"),
    "true for a number": (changed(surprise=True), "'surprise' must be a number"),
    "huge whole number": (changed(met=10**30), "'met' must be a whole number from 1 to 9007199254740992"),
    "fraction of a count": (changed(frames=1.5), "'frames' must be a whole number"),
    "negative place": (changed(place=-1), "'place' must be a whole number"),
    "unknown level": (changed(level="best"), "'level' must be one of full, small, vectors, signs, words"),
    "picture without level": (changed(level="vectors"), "'jpeg' must be null at level vectors"),
    "vectors without level": (changed(level="words", jpeg=None), "'key' and 'scene' must be there, but not"),
    "pinned by words": (changed(pinned="yes"), "'pinned' must be true or false"),
    "labels with commas": (changed(labels=["a, b"]), "labels without commas"),
    "a great many labels": (changed(labels=["a"] * 65), "'labels' must be a list"),
    "endless words": (changed(text="x" * 70_000), "'text' must be text of 65536 characters at most"),
    "half a character": (changed(text="\ud800"), "'text' holds half a character"),
    "unknown field": (changed(command="rm"), "unknown field 'command'"),
    "missing field": (lambda line: line.pop("utility"), "'utility' is missing"),
    "unknown kind": (changed(kind="code"), "unknown kind 'code'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_ENTRIES)
def test_a_bad_entry_is_named_by_its_line_and_nothing_is_written(
    tmp_path: Path, exported: Path, case: str
) -> None:
    change, message = BAD_ENTRIES[case]
    lines = exported.read_text().splitlines()
    line = json.loads(lines[ENTRY_LINE - 1])
    assert line["kind"] == "entry"
    change(line)
    lines[ENTRY_LINE - 1] = json.dumps(line)
    (tmp_path / "bad.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(LineError) as caught:
        import_file(tmp_path / "bad.jsonl", tmp_path / "new" / "m")
    assert f"bad.jsonl: line {ENTRY_LINE}: " in str(caught.value)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400
    assert not (tmp_path / "new").exists()


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def without(text: str, place: int) -> str:
    lines = text.split("\n")
    return "\n".join(lines[:place] + lines[place + 1 :])


BAD_FILES = {
    "empty": (lambda text: "", 1, "not a line of JSON"),
    "no JSON": (lambda text: "hello\n" + text, 1, "not a line of JSON"),
    "a list": (lambda text: "[]\n" + text, 1, "is no object"),
    "NaN": (swap('"frame_s":', '"frame_s":NaN,"x":'), 8, "NaN is not a number here"),
    "Infinity": (swap('"frame_s":', '"frame_s":-Infinity,"x":'), 8, "-Infinity is not a number here"),
    "too great for a float": (swap('"frame_s":0.5625', '"frame_s":1e999'), 8, "'frame_s' must be a number"),
    "too many digits": (swap('"frame_s":0.5625', '"frame_s":' + "9" * 5000), 8, "not a line of JSON"),
    "deep": (swap('"labels":[', '"labels":' + "[" * 200_000), 8, "not a line of JSON"),
    "newer": (swap('"format":6', '"format":7'), 1, "this hippocam reads 6; upgrade hippocam"),
    "other dimension": (swap('"dim":12', '"dim":13'), 5, "must be"),
    "huge dimension": (swap('"dim":12', '"dim":1000000000'), 1, "'dim' must be a whole number"),
    "steep belief": (swap('"slope":20.0', '"slope":900'), 1, "too steep"),
    "tiny budget": (swap('"budget_bytes":50000000', '"budget_bytes":5'), 1, "'budget_bytes'"),
    "control character in a name": (swap('"id":"door"', '"id":"door\\u0000"'), 2, "without control characters"),
    "stream of another recording": (swap('"recording":"door"', '"recording":"gate"'), 2, "is none of recording"),
    "fingerprint without a size": (swap('"77:aa:bb"', '"x:aa:bb"'), 2, "must begin with a size"),
    "note of no time": (swap('"t1_s":90.25', '"t1_s":2.0'), 48, "are not in order"),
    "place of no number": (swap('"number":2', '"number":0'), 50, "'number' must be a whole number from 1"),
    "summary of another": (swap('"storey":"day"', '"storey":"scene"'), 5, "is not that of the scene"),
    "summary of no storey": (swap('"storey":"day"', '"storey":"year"'), 5, "must be one of scene, chapter, day"),
    "summary of words": (swap('["cup",7]', '["cup","many"]'), 5, "'words' must hold [word, count]"),
    "summary of no time": (swap('"seconds":120.5', '"seconds":0'), 5, "'seconds' must be a number from 0.001"),
    "stream twice": (lambda text: text.replace("\n", "\n" + text.split("\n")[1] + "\n", 1), 3, "comes twice"),
    "entry without its stream": (lambda text: without(text, 1), 4, "is not among the streams above"),
    "cut off": (lambda text: "\n".join(text.split("\n")[:30]) + "\n", 30, "cut off behind this"),
    "cut off in a line": (lambda text: text[: len(text) // 2], None, "not a line of JSON"),
    "line left out": (lambda text: without(text, 9), 60, "should come before"),
    "behind the end": (lambda text: text + "{}\n", 62, "behind the end"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_whole(tmp_path: Path, exported: Path, case: str) -> None:
    change, line, message = BAD_FILES[case]
    (tmp_path / "bad.jsonl").write_text(change(exported.read_text()))
    with pytest.raises(LineError) as caught:
        import_file(tmp_path / "bad.jsonl", tmp_path / "new")
    assert message in str(caught.value)
    if line is not None:
        assert f": line {line}: " in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_what_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"\xff\xfe\n")
    with pytest.raises(LineError, match="line 1: no UTF-8"):
        import_file(tmp_path / "x.jsonl", tmp_path / "new")
    (tmp_path / "long.jsonl").write_bytes(b" " * (30 << 20))
    with pytest.raises(LineError, match="line 1: longer than 24 MiB"):
        import_file(tmp_path / "long.jsonl", tmp_path / "new")
    with pytest.raises(HippocamError, match="cannot be read"):
        import_file(tmp_path / "nowhere.jsonl", tmp_path / "new")
    with pytest.raises(MemoryFolderError, match="no memory here"):
        list(export(tmp_path / "new", "csv"))


# for others to read --------------------------------------------------------------------------------------


def truth(stream: str) -> list[tuple[Entry, Span]]:
    return [(entry, span) for entry, *_ in make_entries(stream, COUNTS[stream]) for span in entry.spans]


def test_csv_has_a_row_a_span(memory: Path) -> None:
    found = list(csv.DictReader(io.StringIO("".join(export(memory, "csv")), newline="")))
    wanted = truth("door") + truth("rig/left")
    assert len(found) == len(wanted)
    assert list(found[0]) == "stream t0_s t1_s entry looks_like text surprise met place level frame_s".split()
    for row, (entry, span) in zip(found, wanted, strict=True):
        assert (row["stream"], row["entry"]) == (entry.stream, format_id(entry.id))
        assert (float(row["t0_s"]), float(row["t1_s"])) == (span.t0_s, span.t1_s)
        assert row["text"] == entry.text
        assert row["looks_like"]
        assert (float(row["surprise"]), float(row["frame_s"])) == (entry.surprise, entry.frame_s)
        assert (int(row["met"]), int(row["place"])) == (entry.met, entry.place)
        assert row["level"] == entry.level.name.lower()


def parse_cues(text: str, point: str) -> list[tuple[str, float, float, str]]:
    """Blocks of a subtitle file, read by its rules: a line of its own, times, text, an empty line."""
    clock = re.compile(rf"(\d{{2,}}):([0-5]\d):([0-5]\d){re.escape(point)}(\d{{3}})")
    cues = []
    for block in text.strip("\n").split("\n\n"):
        name, times, *words = block.split("\n")
        assert "-->" not in name
        start, arrow, end = times.partition(" --> ")
        assert arrow
        matches = [clock.fullmatch(start), clock.fullmatch(end)]
        assert all(matches), times
        t0_s, t1_s = (
            int(m[1]) * 3600 + int(m[2]) * 60 + int(m[3]) + int(m[4]) / 1000 for m in matches if m is not None
        )
        assert len(words) == 1
        assert "-->" not in words[0]
        cues.append((name, t0_s, t1_s, words[0]))
    return cues


def check_cues(cues: list[tuple[str, float, float, str]], stream: str) -> None:
    """Chapters follow one another, and begin and end where something of the stream does."""
    times = [time_s for _, span in truth(stream) for time_s in (span.t0_s, span.t1_s)]
    assert 1 < len(cues) <= 12
    assert [t0_s for _, t0_s, _, _ in cues] == sorted(t0_s for _, t0_s, _, _ in cues)
    for _, t0_s, t1_s, _ in cues:
        assert t0_s < t1_s
        assert min(abs(t0_s - time_s) for time_s in times) < 6e-4
        assert min(abs(t1_s - time_s) for time_s in times) < 6e-4
    assert cues[0][1] == pytest.approx(min(times), abs=6e-4)


def test_vtt_is_valid_and_its_times_are_true(memory: Path) -> None:
    text = "".join(export(memory, "vtt", stream="door"))
    head, _, body = text.partition("\n\n")
    assert head == "WEBVTT"
    cues = parse_cues(body, ".")
    check_cues(cues, "door")
    assert len({name for name, *_ in cues}) == len(cues)
    assert all(words[0].isupper() for *_, words in cues)


def test_srt_is_valid_and_its_times_are_true(memory: Path) -> None:
    cues = parse_cues("".join(export(memory, "srt", stream="door")), ",")
    check_cues(cues, "door")
    assert [name for name, *_ in cues] == [str(n + 1) for n in range(len(cues))]
    assert not any(re.search(r"[<>{}\x00-\x1f]", words) for *_, words in cues)


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_chapters_are_of_one_stream(memory: Path, kind: str) -> None:
    with pytest.raises(HippocamError, match="choose it with --stream: door, rig/left, rig/right"):
        list(export(memory, kind))
    with pytest.raises(HippocamError, match="choose it with --stream: rig/left, rig/right"):
        list(export(memory, kind, stream="rig"))
    assert len("".join(export(memory, kind, stream="rig/right"))) == (7 if kind == "vtt" else 0)


def test_the_memory_that_an_export_takes_is_bounded(tmp_path: Path) -> None:
    peaks = []
    list(export(make_memory(tmp_path / "first", {"door": 10}), "csv"))  # reads the phrases of sentences, once
    for count in (300, 3000):
        memory = make_memory(tmp_path / str(count), {"door": count})
        for kind in FORMATS:
            tracemalloc.start()
            for _ in export(memory, kind, stream="door"):
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert max(peaks) < 3_000_000
    assert sum(peaks[4:6]) < 1.5 * sum(peaks[:2]) + 200_000  # chapters hold the times of what is still to come


# the commands --------------------------------------------------------------------------------------------


def hippocam(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "hippocam"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)


def test_the_commands(tmp_path: Path, memory: Path, exported: Path) -> None:
    done = hippocam("export", "--memory", memory)
    assert (done.returncode, done.stdout, done.stderr) == (0, exported.read_text(), "")
    assert (
        hippocam("export", "--memory", memory, "--out", tmp_path / "door.vtt", "--stream", "door").returncode == 0
    )
    assert (tmp_path / "door.vtt").read_text() == "".join(export(memory, "vtt", stream="door"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["door.vtt", "m", "m.jsonl"]
    again = tmp_path / "again"
    done = hippocam("import", exported, "--memory", again, "--budget-mb", 9, "--json")
    report = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, report["entries"], report["budget_bytes"]) == (0, 49, 9_000_000)
    done = hippocam("import", exported, "--memory", again)
    assert "door: was there already, and stays as it was" in done.stdout
    first = json.loads(exported.read_text().splitlines()[ENTRY_LINE - 1])["id"]
    done = hippocam("explain", first, "--memory", again)
    assert f"{first} in door" in done.stdout
    assert "imported from another memory" in done.stdout
    assert json.loads(hippocam("explain", first, "--memory", again, "--json").stdout)["entry"]["id"] == first
    done = hippocam("unpin", first[:12], "--memory", again)
    assert (done.returncode, done.stdout) == (0, f"unpinned {first}\n")
    done = hippocam("pin", first, "--memory", again, "--json")
    assert json.loads(done.stdout) == {"entries": [first], "pinned": True}
    assert "pinned: never given up" in hippocam("explain", first, "--memory", again).stdout


def test_an_output_that_takes_no_more_is_one_line(memory: Path) -> None:
    command = [Path(sys.executable).parent / "hippocam", "export", "--memory", memory]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=900, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "stdout: cannot be written" in done.stderr
    done = hippocam("export", "--memory", memory, "--out", "/dev/full")
    assert "--out /dev/full: cannot be written" in done.stderr
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:
        assert reading.stdout is not None
        assert reading.stderr is not None
        reading.stdout.read(10)
        reading.stdout.close()
        assert reading.stderr.read() == b""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["explain", "0000000000000001"], "neither the memory nor its journal knows it"),
        (["explain", "red"], "is no id"),
        (["pin", "0000000000000001"], "neither the memory nor its journal knows it"),
        (["export", "--format", "vtt"], "choose it with --stream: door, rig/left, rig/right"),
        (["export", "--stream", "gate"], "stream 'gate' is not in this memory"),
        (["export", "--out", "m/inside.jsonl"], "lies in the memory's folder"),
        (["export", "--out", "nowhere/x.csv"], "cannot be written"),
        (["import", "nowhere.jsonl"], "cannot be read"),
    ],
)
def test_wrong_use_is_one_line(
    memory: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    monkeypatch.chdir(memory.parent)
    done = hippocam(*arguments, "--memory", "m")
    assert done.returncode == 2
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(file.name for file in memory.iterdir() if file.suffix != ".lock") == ["exemplars", "memory.db"]


def test_a_config_is_heeded(tmp_path: Path, exported: Path) -> None:
    report = import_file(exported, tmp_path / "again", config=MemoryConfig(budget_bytes=7_000_000))
    assert report.budget_bytes == 7_000_000


def test_chapters_of_a_live_stream_count_from_its_start() -> None:
    began_s = 1.79e9
    spans = [(began_s, began_s + 5), (began_s + 60, began_s + 62.5)]
    chapters = [
        Chapter(t0_s=t0_s, t1_s=t1_s, title=f"{HOSTILE_WORDS} {k}", entry_id=k)
        for k, (t0_s, t1_s) in enumerate(spans)
    ]
    told = "".join(vtt_cues(chapters))
    assert "00:00:00.000 --> 00:00:05.000" in told
    assert "00:01:00.000 --> 00:01:02.500" in told
    assert 'A &lt;b&gt;bold&lt;/b&gt; &amp; "quoted" 00:00:01.000 --&gt; ' in told
    assert 'A ‹b›bold‹/b› & "quoted" 00:00:01.000 --› ' in "".join(srt_cues(chapters))
