"""Flipped bits, lost pictures and what was cut short are found; what is repaired is whole, and keeps the rest."""

import os
import random
import shutil
import sqlite3
from contextlib import closing, suppress

import cv2
import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import MemoryFolderError, NoMemoryError, NotAMemoryError
from hippocam.memory.lock import WriterLock
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.records import id_of
from hippocam.memory.store import sums
from hippocam.memory.store.database import Store
from hippocam.memory.store.schema import SCHEMA, SUMMED, full_texts
from hippocam.memory.verify.checks import verify
from hippocam.memory.verify.pages import whole_rows
from hippocam.memory.verify.problems import Kind
from hippocam.memory.verify.rebuild import rebuild
from hippocam.memory.verify.repair import repair
from hippocam.stream.records import Embedding, EncoderSpec, Note

D = 64
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
# As in HIPPOCAM_FLIPS=2000 HIPPOCAM_SEED=7 pytest tests/unit/memory/verify
FLIPS = int(os.environ.get("HIPPOCAM_FLIPS", "150"))
SEED = int(os.environ.get("HIPPOCAM_SEED", "14"))


def writer(folder, budget_bytes=1_500_000):
    config = MemoryConfig(budget_bytes=budget_bytes)
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=config)


def watch(memory, stream, scenes, *, seed=3, complete=True, side=120, things=1000):
    """Scenes of 5 s, each of a colour and of words of its own."""
    rng = np.random.default_rng(seed)
    seen = rng.normal(size=(things, D)).astype(np.float32)
    memory.begin(stream, uri=f"/x/{stream}.mp4", fps=1.0)
    for k in range(scenes):
        vector = seen[k % things] + 0.06 * rng.normal(size=D).astype(np.float32)
        vector /= np.linalg.norm(vector)
        picture = rng.integers(0, 255, size=(1, 1, 3), dtype=np.uint8).repeat(side, 0).repeat(2 * side, 1)
        _, jpeg = cv2.imencode(".jpg", picture + rng.integers(0, 9, size=picture.shape, dtype=np.uint8))
        memory.write([Note(stream=stream, kind="speech", t0_s=5.0 * k, t1_s=5.0 * k + 2, text=f"said {k} aloud")])
        memory.write(
            [
                Embedding(
                    stream=stream, seq=5 * k + t, time_s=5.0 * k + t, vector=vector, jpeg=jpeg.tobytes(),
                    text=f"scene {k} of {stream}",
                )
                for t in range(5)
            ]
        )  # fmt: skip
    memory.finish(stream, complete=complete)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A memory that has been through much: slept, pinned, asked, partly forgotten, unfinished."""
    folder = tmp_path_factory.mktemp("whole") / "m"
    with writer(folder) as memory:
        watch(memory, "cam", 40)
        watch(memory, "door", 30, seed=4, things=7)
        memory.pin(id_of("cam", 20))
        memory.sleep(0.3, max_loss=1.0)
        memory.used([id_of("cam", 20)], np.eye(D, dtype=np.float32)[0])
        memory.forget([id_of("door", 10)])
        watch(memory, "yard", 6, seed=5, complete=False)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "m")


def held(folder):
    """Everything that plain SQL reads, or why it cannot be read."""
    found = []
    with closing(sqlite3.connect(f"file:{folder / 'memory.db'}?mode=ro", uri=True)) as db:
        for table in SUMMED:
            found.append(db.execute(f"SELECT * FROM {table} NOT INDEXED").fetchall())
        on_disk = [("words", "scene"), ("words", "17")] if "words" in full_texts(db) else []
        for words, term in (*on_disk, ("words_noted", "aloud"), ("words_noted", "said")):
            found.append(db.execute(f"SELECT rowid FROM {words} WHERE {words} MATCH ?", (f'"{term}"',)).fetchall())
        found.append(db.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall())
    return found


def flip(path, chance):
    """Flip one bit of a file; return where. Zeros are left alone as a rule: most of them are gaps."""
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    while not content[place] and chance.random() < 0.9:
        place = chance.randrange(len(content))
    content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    return place


def kinds(problems):
    return {problem.kind for problem in problems}


def test_a_memory_that_has_been_through_everything_is_whole(folder):
    assert verify(folder) == []
    with closing(sqlite3.connect(folder / "memory.db")) as db:
        filled = {table for table in SUMMED if db.execute(f"SELECT 1 FROM {table}").fetchone()}
    assert filled >= {"meta", "stream", "entry", "summary", "journal", "probe", "note", "learned"}


def test_one_at_its_full_budget_is_whole(tmp_path):
    with writer(tmp_path / "m", 1_000_000) as memory:
        watch(memory, "cam", 90, side=300)
        assert verify(tmp_path / "m") == []  # while it is written
        assert memory.streams()[0].evicted + sum(
            slot.level > 0 for slot in memory.store.entries.slots()
        )  # some evidence was given up
    assert verify(tmp_path / "m") == []


def test_every_flipped_bit_of_the_database_is_found_or_harmless(whole, folder):
    """Harmless is what plain SQL reads as before: free pages, and the gaps between rows."""
    chance, before = random.Random(SEED), held(whole)
    raw = (whole / "memory.db").read_bytes()
    found = 0
    for _ in range(FLIPS):
        place = flip(folder / "memory.db", chance)
        problems = verify(folder)
        if problems:
            found += 1
            assert kinds(problems) <= {
                Kind.DATABASE,
                Kind.ROW,
                Kind.TOTAL,
                Kind.WORDS,
                Kind.PICTURE,
                Kind.LEFTOVER,
                Kind.BUDGET,
            }
        else:
            assert held(folder) == before, f"unnoticed at byte {place}"
        for end in ("-wal", "-shm"):
            (folder / f"memory.db{end}").unlink(missing_ok=True)
        (folder / "memory.db").write_bytes(raw)
    assert found > FLIPS // 3
    assert verify(folder) == []


def test_every_flipped_bit_of_a_picture_is_found(folder):
    chance = random.Random(SEED)
    pictures = sorted((folder / "exemplars").iterdir())
    for _ in range(60):
        path = chance.choice(pictures)
        before = path.read_bytes()
        flip(path, chance)
        (problem,) = verify(folder)
        assert problem.kind is Kind.PICTURE
        assert path.stem in problem.what
        path.write_bytes(before)


def test_what_is_repaired_is_whole_and_keeps_the_rest(whole, tmp_path):
    chance = random.Random(SEED + 1)
    with Memory.open_reader(whole) as memory:
        count = memory.store.entries.count()
    repaired = 0
    while repaired < 25:
        folder = shutil.copytree(whole, tmp_path / "m")
        flip(folder / "memory.db", chance)
        problems = repair(folder)
        if problems:
            repaired += 1
            rest = [problem for problem in verify(folder) if problem.kind is not Kind.BUDGET]
            assert rest == []
            with Memory.open_reader(folder) as memory:
                assert count - memory.store.entries.count() <= 12  # a page at most
            with writer(folder) as memory:
                watch(memory, "later", 3, seed=9)
                assert memory.recall(Query(text="scene 1 of later", vector=np.eye(D, dtype=np.float32)[0]))
            assert [p for p in verify(folder) if p.kind is not Kind.BUDGET] == []
        shutil.rmtree(folder)


@pytest.mark.parametrize("cut", [0, 1, 50, 99, 4096, 20_000])
def test_a_database_that_is_cut_or_overwritten_is_told_and_saved_as_far_as_it_goes(folder, cut):
    """Its first bytes are zeros; or what lies behind a place is gone."""
    path = folder / "memory.db"
    content = path.read_bytes()
    path.write_bytes(bytes(min(cut, 100)) + content[min(cut, 100) :] if cut < 4096 else content[:-cut])
    problems = verify(folder)
    assert (Kind.DATABASE in kinds(problems)) == (cut > 0)
    with suppress(sqlite3.DatabaseError):  # nothing can be saved: it is told, and nothing was changed
        repair(folder)
        assert kinds(verify(folder)) <= {Kind.BUDGET}
        if cut < 4096:
            with Memory.open_reader(folder) as memory:
                assert memory.store.entries.count() > 15


@pytest.mark.parametrize("content", [b"my own notes, and no database\n" * 400, bytes(100_000), "a database"])
def test_what_another_program_wrote_is_neither_repaired_nor_touched(tmp_path, content):
    if isinstance(content, bytes):
        (tmp_path / "memory.db").write_bytes(content)
    else:
        with closing(sqlite3.connect(tmp_path / "memory.db")) as db:
            db.executescript("CREATE TABLE meta (key TEXT, value TEXT); INSERT INTO meta VALUES ('mine', 'kept')")
    (tmp_path / "exemplars").mkdir()
    (tmp_path / "exemplars" / "holiday.jpg").write_bytes(b"\xff\xd8 a photograph")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    for act in (verify, repair):
        with pytest.raises(NotAMemoryError, match="not a hippocam memory"):
            act(tmp_path)

    assert {path: path.read_bytes() for path in before} == before


def test_a_folder_without_a_memory_stays_as_it_is(tmp_path):
    with pytest.raises(NoMemoryError):
        verify(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_missing_pictures_are_told_and_their_entries_keep_their_vectors(folder):
    with Memory.open_reader(folder) as memory:
        count, vectors = memory.store.entries.count(), memory.store.entries.ids()
    shutil.rmtree(folder / "exemplars")
    problems = verify(folder)
    assert kinds(problems) == {Kind.PICTURE}
    assert all("keeps its vectors" in problem.repair for problem in problems)
    with pytest.raises(MemoryFolderError, match=r"of \d+ pictures \d+ missing"):
        writer(folder)
    assert repair(folder) == problems
    assert verify(folder) == []
    with writer(folder) as memory:
        assert (memory.store.entries.count(), memory.store.entries.ids()) == (count, vectors)


def test_pictures_that_may_not_be_read_are_told_and_kept(folder, as_a_user):
    code = (
        "import sys; from pathlib import Path; from hippocam.memory.verify.repair import repair;"
        "print('\\n'.join(f'{p.kind.value}: {p.repair}' for p in repair(Path(sys.argv[1]))))"
    )
    pictures = list((folder / "exemplars").iterdir())
    for locked, mode in ((pictures, 0o600), ([folder / "exemplars"], 0o700)):
        for path in locked:
            path.chmod(0)
        done = as_a_user(code, folder)
        for path in locked:
            path.chmod(mode)
        if locked is pictures:
            assert done.returncode == 0, done.stderr
            told = done.stdout.splitlines()
            assert len(told) == len(pictures)
            assert {line.partition(";")[0] for line in told} == {"picture: none: it is kept"}
        else:
            assert "Permission denied" in done.stderr
        assert verify(folder) == []


def test_a_database_that_may_not_be_read_is_not_called_damaged(folder, as_a_user):
    (folder / "memory.db").chmod(0)
    code = (
        "import sys, pathlib; from hippocam.memory.verify.checks import verify; verify(pathlib.Path(sys.argv[1]))"
    )
    done = as_a_user(code, folder)
    (folder / "memory.db").chmod(0o600)
    assert "NoPermissionError" in done.stderr
    assert verify(folder) == []


def test_what_was_left_over_is_told_and_deleted(folder):
    (folder / "memory.db.new").write_bytes(b"half")
    (folder / "exemplars" / "00000000000000aa.new").write_bytes(b"half a picture")
    (folder / "notes.txt").write_text("mine")
    problems = verify(folder)
    assert kinds(problems) == {Kind.LEFTOVER}
    assert len(problems) == 3
    repair(folder)
    assert [problem.what for problem in verify(folder)] == ["notes.txt"]  # it is none of ours
    begun = folder.with_name("begun")
    begun.mkdir()
    (begun / "memory.db.new-journal").write_bytes(b"half")
    assert kinds(verify(begun)) == {Kind.LEFTOVER}
    repair(begun)
    with pytest.raises(NoMemoryError):
        verify(begun)


def test_a_row_that_another_program_changed_is_told(folder):
    with closing(sqlite3.connect(folder / "memory.db")) as db, db:
        db.execute("UPDATE entry SET t1_s = t1_s + 1 WHERE id = ?", (id_of("cam", 30),))
        db.execute("UPDATE stream SET end_s = 7 WHERE id = 'cam'")
        db.execute("UPDATE note SET text = 'never said' WHERE id = (SELECT min(id) FROM note)")
    problems = verify(folder)
    assert kinds(problems) == {Kind.ROW}
    assert [problem.repair for problem in problems] == ["stays as it is now", "given up", "given up"]
    repair(folder)
    assert verify(folder) == []
    with Memory.open_reader(folder) as memory:
        assert memory.entry(id_of("cam", 30)) is None
        assert {stream.id for stream in memory.streams()} == {"cam", "door", "yard"}


def fill_empty(path):
    """Put two rows into each table that has none, as a writer would."""
    values = {"INTEGER": (900, 901), "REAL": (1.5, 2.5), "TEXT": ("one", "two"), "BLOB": (b"\x01", b"\x02")}
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        sums.keep(db)
        for table in SUMMED:
            if db.execute(f"SELECT 1 FROM {table}").fetchone() is None:
                names = sums.columns(db, table)
                types = {name: kind for _, name, kind, *_ in db.execute(f"PRAGMA table_info({table})")}
                for row in zip(*(values[types[name]] for name in names), strict=True):
                    marks = ", ".join("?" * len(names))
                    db.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", row)


def totals_told(folder):
    return [problem.what for problem in verify(folder) if problem.kind is Kind.TOTAL]


@pytest.mark.parametrize("table", SUMMED)
def test_rows_that_another_program_deleted_or_added_are_told_in_every_table(folder, table):
    fill_empty(folder / "memory.db")
    assert totals_told(folder) == []
    with closing(sqlite3.connect(folder / "memory.db", isolation_level=None)) as other:
        (count,) = other.execute(f"SELECT count(*) FROM {table}").fetchone()
        key = ", ".join(sums.key(other, table))
        names = ", ".join(sums.stored(other, table))
        row = other.execute(f"SELECT {names} FROM {table} ORDER BY {key} DESC LIMIT 1").fetchone()
        other.execute(
            f"DELETE FROM {table} WHERE ({key}) = (SELECT {key} FROM {table} ORDER BY {key} DESC LIMIT 1)"
        )
        (what,) = totals_told(folder)
        assert what.startswith(f"1 of {count} rows of {table}")
        assert what.endswith("are missing")
        other.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", row)
        assert totals_told(folder) == []  # it is back as it was
        other.execute(f"UPDATE row_total SET rows = rows - 1, checksum = checksum - 5 WHERE name = '{table}'")
        assert totals_told(folder) == [f"1 of {count} rows of {table} are there that no writer added"]
        other.execute(f"UPDATE row_total SET rows = rows + 1 WHERE name = '{table}'")
        (what,) = totals_told(folder)  # as many rows, and others
        assert what.startswith(f"rows of {table} are missing")
        other.execute(f"UPDATE row_total SET rows = rows + 4, checksum = checksum + 5 WHERE name = '{table}'")
        assert totals_told(folder) == [f"the number of rows that is kept of {table} is damaged"]


def test_a_row_that_another_program_added_is_told_twice_and_given_up(folder):
    with closing(sqlite3.connect(folder / "memory.db")) as other, other:
        other.execute(
            "INSERT INTO note (stream, kind, t0_s, t1_s, known_s, text) VALUES ('cam', 'speech', 1, 2, 2, 'x')"
        )
    assert [problem.kind for problem in verify(folder)] == [Kind.ROW, Kind.TOTAL]
    repair(folder)
    assert verify(folder) == []


def test_a_memory_that_lost_rows_is_told_what_is_lost_and_goes_on(folder):
    lost = {"entry": 9, "note": 4, "journal": 30, "summary": 1, "bank": 1, "lesson": 3, "learned": 1, "place": 1}
    with closing(sqlite3.connect(folder / "memory.db")) as other, other:
        for table, count in lost.items():
            key = ", ".join(sums.key(other, table))
            rows = other.execute(f"SELECT {key} FROM {table} LIMIT ?", (count,)).fetchall()
            lost[table] = len(rows)
            other.executemany(f"DELETE FROM {table} WHERE {sums.where_key(other, table)}", rows)
    told = [problem.what for problem in repair(folder) if problem.kind is Kind.TOTAL]
    assert sorted((what.split()[5], int(what.split()[0])) for what in told) == sorted(
        item for item in lost.items() if item[1]
    )
    assert verify(folder) == []
    with writer(folder) as memory:
        watch(memory, "later", 30, seed=9)
        assert memory.recall(Query(text="scene 1 of later", vector=np.eye(D, dtype=np.float32)[0]))
    assert verify(folder) == []


def test_what_a_database_that_is_made_anew_has_lost_is_told(folder):
    path = folder / "memory.db"
    with closing(sqlite3.connect(path)) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'place'").fetchone()
        (count,) = db.execute("SELECT count(*) FROM place").fetchone()
        (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    content[(root - 1) * page_bytes : root * page_bytes] = bytes(page_bytes)
    path.write_bytes(content)
    told = [problem.what for problem in repair(folder) if problem.kind is Kind.TOTAL]
    assert told == [f"{count} rows of place cannot be read"]
    assert verify(folder) == []


_RIGHT = {"INTEGER": "1", "REAL": "0.5", "TEXT": "'a word'", "BLOB": "x'00'"}
# A value that each type of column does not take; SQLite would turn a number into text by itself.
_WRONG = {"INTEGER": "x'00ff'", "REAL": "'never'", "TEXT": "CAST({0} AS BLOB)", "BLOB": "'words'"}


def _columns_of_all_tables():
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(SCHEMA)
        for table in SUMMED:
            for _, name, kind, _, _, place in db.execute(f"PRAGMA table_info({table})").fetchall():
                if name != "sum" and not place:
                    yield table, name, kind


@pytest.mark.parametrize(("table", "name", "kind"), list(_columns_of_all_tables()))
def test_a_value_of_another_type_is_told_in_every_column_of_every_table(folder, table, name, kind):
    """Even where the checksum was made anew for it, as by another program."""
    with closing(sqlite3.connect(folder / "memory.db")) as db, db:
        sums.keep(db)
        key = ", ".join(sums.key(db, table))
        if not db.execute(f"SELECT 1 FROM {table}").fetchone():
            kinds_of = db.execute(f"SELECT type FROM pragma_table_info('{table}') WHERE name != 'sum'").fetchall()
            values = ", ".join(_RIGHT[kind_of] for (kind_of,) in kinds_of)
            db.execute(f"INSERT INTO {table} ({', '.join(sums.columns(db, table))}) VALUES ({values})")
        row = db.execute(f"SELECT {key} FROM {table} LIMIT 1").fetchone()
        wrong = _WRONG[kind].format(name)
        db.execute(f"UPDATE {table} SET {name} = {wrong} WHERE {sums.where_key(db, table)}", row)
    told = [problem.what for problem in verify(folder) if problem.kind is Kind.ROW]
    assert any(what.startswith(f"{table} ") and "another type" in what for what in told)
    repair(folder)
    assert [problem for problem in verify(folder) if problem.kind is Kind.ROW] == []


def test_words_that_the_full_text_does_not_have_are_told_and_found_again(tmp_path):
    folder = tmp_path / "m"
    with writer(folder, 10_000_000) as memory:  # one so small that it has it in main memory cannot lack any
        watch(memory, "cam", 6)
    with closing(sqlite3.connect(folder / "memory.db")) as db, db:
        db.execute("INSERT INTO words (words) VALUES ('delete-all')")
    assert kinds(verify(folder)) == {Kind.WORDS}
    repair(folder)
    assert verify(folder) == []
    with closing(Store(folder / "memory.db", writable=False)) as store:
        assert store.words.match(["scene"], "text", [])


def test_a_memory_that_is_being_written_is_verified_and_not_repaired(folder):
    lock = WriterLock(folder / "writer.lock")
    assert verify(folder) == []
    with pytest.raises(MemoryFolderError, match="another process is writing"):
        repair(folder)
    lock.release()
    assert repair(folder) == []


def every_row(path):
    """All rows of all tables that have checksums, by plain SQL."""
    with closing(sqlite3.connect(path)) as db:
        db.text_factory = bytes
        return {table: sorted(db.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in SUMMED}


def fill(path):
    """Put a row or more into each table; of other columns than those of a kind nothing is known."""
    values = {"INTEGER": 7, "REAL": 1.5, "TEXT": "word", "BLOB": b"\x01\x02"}
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        sums.keep(db)
        for table in SUMMED:
            columns = [row for row in db.execute(f"PRAGMA table_info({table})") if row[1] != "sum"]
            names, marks = ", ".join(row[1] for row in columns), ", ".join("?" * len(columns))
            for number in (900, 901):
                row = [number if kind == "INTEGER" else values[kind] for _, _, kind, *_ in columns]
                row = [f"{table} {number}" if isinstance(value, str) else value for value in row]
                db.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", row)


def test_a_row_never_becomes_one_of_another_table_of_the_same_columns(folder):
    """Lessons and blocks of entries have columns of the same types, and so have two more pairs."""
    fill(folder / "memory.db")
    before = every_row(folder / "memory.db")
    assert all(before.values())
    rebuild(folder / "memory.db")
    assert every_row(folder / "memory.db") == before


def test_what_could_be_of_two_tables_is_left_out_where_no_tree_leads_to_it(folder):
    fill(folder / "memory.db")
    content = (folder / "memory.db").read_bytes()
    with closing(sqlite3.connect(folder / "memory.db")) as db:
        tables = {
            table: {name: kind for _, name, kind, *_ in db.execute(f"PRAGMA table_info({table})")}
            for table in ("lesson", "entry_block")
        }
        roots = dict(db.execute("SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'"))
        (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
        rows = [(table, *row) for table in tables for row in db.execute(f"SELECT * FROM {table}")]
    assert sorted((table, *row) for table, row in whole_rows(content, tables, roots, page_bytes)) == sorted(rows)
    assert list(whole_rows(content, tables, {}, page_bytes)) == []


def test_a_damaged_setting_costs_nothing_else(folder):
    before = every_row(folder / "memory.db")
    with closing(sqlite3.connect(folder / "memory.db")) as db:
        db.execute("UPDATE meta SET value = x'ff00' WHERE key = 'budget_bytes'")
        db.commit()
    assert Kind.DATABASE in {problem.kind for problem in repair(folder)}
    assert verify(folder) == []
    after = every_row(folder / "memory.db")
    assert set(after.pop("meta")) < set(before.pop("meta"))
    assert after == before
    with writer(folder) as memory:
        watch(memory, "roof", 3)
