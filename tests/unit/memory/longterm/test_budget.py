"""The byte budget of a folder: what is given up first, and that nothing is given up in vain."""

import tempfile
from pathlib import Path

import pytest

from hippocam.memory.errors import BudgetTooSmallError, DiskError
from hippocam.memory.longterm.budget import (
    FOLDER_BYTES,
    SHM_BYTES,
    ByteBudget,
    Log,
    LogSizes,
    Shares,
    entity_bytes,
)
from hippocam.memory.store.schema import PAGE_BYTES

MB = 1_000_000
LOG_BYTES = LogSizes.of(MB).most


class Database:
    """A database file of so many live bytes and so many free ones."""

    def __init__(self, path: Path, live: int, free: int = 0) -> None:
        self.path, self.live, self.free, self.readers = path, live, free, 0
        self.page_bytes = PAGE_BYTES
        path.write_bytes(bytes(live + free))

    def live_bytes(self) -> int:
        return self.live

    def log_bytes(self) -> int:
        log = self.path.with_name("memory.db-wal")
        return log.stat().st_size if log.exists() else 0

    def shrink(self, least_bytes: float) -> None:
        self.free = max(0, self.free - int(least_bytes))
        self.path.write_bytes(bytes(self.live + self.free))

    def fold_log(self, *, waits: bool = True) -> bool:
        return not self.readers

    def merge_words(self, steps: int | None = None) -> None:
        pass

    def give_up(self, count: int) -> None:
        self.live, self.free = self.live - count, self.free + count


class Hoard:
    """Something of which parts can be given up, each of so many bytes of a database."""

    def __init__(self, name: str, parts: int, size: int, database: Database, told: list[str]) -> None:
        self.name, self.parts, self.size, self.database, self.told = name, parts, size, database, told
        self.given_up, self.most_steps = (0, 0), 100

    def give_up(self, least_bytes: int = 1) -> int:
        freed = 0
        for _ in range(min(self.parts, self.most_steps)):
            self.parts -= 1
            self.database.give_up(self.size)
            self.told.append(self.name)
            self.given_up = self.given_up[0] + 1, self.given_up[1] + self.size
            freed += self.size
            if freed >= least_bytes:
                break
        return freed


def budget_of(
    folder: Path,
    *,
    given: int,
    live: int,
    free: int = 0,
    parts: int = 2,
    size: int = 50_000,
    took: int = 0,
    tombstones: int | None = None,
):
    database, told = Database(folder / "memory.db", live, free), list[str]()
    (folder / "exemplars").mkdir()
    hoards = {name: Hoard(name, parts, size, database, told) for name in ("tombstones", "entries", "notes")}
    hoards["entries"].given_up = (0, -took)
    hoards["tombstones"].parts = parts if tombstones is None else tombstones
    log = Log(folder, database, LogSizes.of(given))
    budget = ByteBudget(
        folder,
        database,
        folder / "exemplars",
        given_bytes=given,
        picture_bytes=lambda: 0,
        log=log,
        **hoards,
    )
    return budget, database, told


def fixed(folder: Path) -> int:
    """What the folder takes beside the database's pages, by design."""
    folders = folder.stat().st_size + (folder / "exemplars").stat().st_size + FOLDER_BYTES
    return LOG_BYTES + SHM_BYTES + folders


def test_while_all_fits_nothing_is_given_up(tmp_path):
    budget, database, told = budget_of(tmp_path, given=2 * MB, live=MB)
    budget.make_room(2 * MB - MB - fixed(tmp_path))
    assert told == []
    assert database.live == MB


def test_tombstones_go_first_then_entries_then_notes_and_no_more_than_needed(tmp_path):
    budget, _, told = budget_of(tmp_path, given=2 * MB, live=MB)
    room = 2 * MB - MB - fixed(tmp_path)
    budget.make_room(room + 1)
    assert told == ["tombstones"]
    budget.make_room(room + 3 * 50_000)
    assert told == ["tombstones", "tombstones", "entries"]
    budget.make_room(room + 6 * 50_000)
    assert told == ["tombstones", "tombstones", "entries", "entries", "notes", "notes"]


def test_what_never_fits_is_refused_before_anything_is_given_up(tmp_path):
    budget, _, told = budget_of(tmp_path, given=2 * MB, live=MB)
    with pytest.raises(BudgetTooSmallError) as refused:
        budget.make_room(2 * MB)
    assert (refused.value.needed_bytes, refused.value.given_bytes) == (2 * MB, 2 * MB)
    assert told == []


def test_it_is_refused_too_where_all_that_can_be_given_up_does_not_suffice(tmp_path):
    budget, _, told = budget_of(tmp_path, given=2 * MB, live=MB, parts=1)
    with pytest.raises(BudgetTooSmallError):
        budget.make_room(2 * MB - MB - fixed(tmp_path) + 4 * 50_000)
    assert told == ["tombstones", "entries", "notes"]


def test_free_pages_go_back_to_the_disk_only_where_they_are_in_the_way(tmp_path):
    budget, database, told = budget_of(tmp_path, given=2 * MB, live=MB, free=100_000)
    room = 2 * MB - MB - fixed(tmp_path)
    assert budget.fits(room - 100_000)
    budget.make_room(room - 100_000, picture_bytes=room - 100_000)
    assert database.free == 100_000
    assert not budget.fits(room)
    budget.make_room(room, picture_bytes=room - 100_000)  # rows go into the free pages
    assert database.free == 100_000
    budget.make_room(room, picture_bytes=room - 30_000)
    assert 0 < database.free <= 30_000
    budget.make_room(room, picture_bytes=room)
    assert database.free == 0
    assert told == []


def test_what_is_written_since_room_was_measured_never_exceeds_the_budget(tmp_path):
    """What fills the folder is what was said, and in its first half half as much again that nobody told of."""
    budget, database, told = budget_of(tmp_path, given=2 * MB, live=600_000, free=300_000, parts=40, size=9_000)
    needed = [3_000, 20_000, 700] * 60
    for count in needed:
        budget.make_room(count)
        database.live += count if database.live > MB else count * 3 // 2
        database.free = max(0, database.free - count)
        database.path.write_bytes(bytes(database.live + database.free))
        assert database.path.stat().st_size + fixed(tmp_path) <= 2 * MB
    assert {"tombstones", "entries"} <= set(told)
    most = 2 * MB - fixed(tmp_path) - max(needed)
    assert database.live > most - 9_000  # no more went than had to


def test_while_much_is_left_room_is_not_measured_for_each_event(tmp_path):
    budget, database, _ = budget_of(tmp_path, given=2 * MB, live=600_000)
    measured = list[int]()
    live_bytes = database.live_bytes
    database.live_bytes = lambda: measured.append(database.live) or live_bytes()
    for _ in range(20):
        budget.make_room(1_000)
        database.live += 1_000
    assert len(set(measured)) == 1


def given_up_ahead(folder: Path, *, left: int, took: int, steps: int = 100) -> list[str]:
    """What is given up ahead where so much is left beside what an event needs, and the last ones took so much."""
    folder = Path(tempfile.mkdtemp(dir=folder))
    budget, database, told = budget_of(folder, given=2 * MB, live=MB, parts=90, size=500, took=took, tombstones=0)
    budget._entries.most_steps = steps
    database.live = 2 * MB - fixed(folder) - budget.insert_bytes - left
    while not budget.make_ready():
        told.append("later")
    return told


def test_ahead_of_need_what_is_short_goes_and_enough_for_some_events_more(tmp_path):
    """Two pages are kept free, 8,192 bytes, and 5,000 are made free beyond."""
    assert given_up_ahead(tmp_path, left=20_000, took=3200) == []  # enough is left
    assert given_up_ahead(tmp_path, left=8_000, took=0) == []
    assert given_up_ahead(tmp_path, left=8_000, took=3200) == ["entries"] * 11
    assert given_up_ahead(tmp_path, left=0, took=3200) == ["entries"] * 17
    few = given_up_ahead(tmp_path, left=0, took=3200, steps=3)
    assert few == [*[*["entries"] * 3, "later"] * 5, *["entries"] * 2]


def test_not_many_go_ahead_at_once_however_much_the_last_events_took(tmp_path):
    assert len(given_up_ahead(tmp_path, left=-60_000, took=90_000, steps=16)) == 64 + 3


def test_while_a_reader_holds_the_log_nothing_is_given_up_ahead(tmp_path):
    budget, database, told = budget_of(tmp_path, given=2 * MB, live=2 * MB)
    (tmp_path / "memory.db-wal").write_bytes(bytes(LOG_BYTES + 1))
    database.readers = 1
    budget._entries.given_up = (0, -9_000)
    assert budget.make_ready()  # the next event is told
    assert told == []


def test_a_reader_that_holds_the_log_costs_no_entry(tmp_path):
    budget, database, told = budget_of(tmp_path, given=2 * MB, live=MB)
    (tmp_path / "memory.db-wal").write_bytes(bytes(LOG_BYTES + 1))
    budget.make_room(0)  # it is folded back
    database.readers = 1
    with pytest.raises(DiskError):
        budget.make_room(2 * MB - MB - fixed(tmp_path))
    assert told == []


@pytest.mark.parametrize(
    ("budget_bytes", "most", "expected"), [(MB, MB, 50_000), (40 * MB, MB, MB), (10 * MB, MB, MB // 2)]
)
def test_entities_have_a_twentieth_and_always_a_little(budget_bytes, most, expected):
    assert entity_bytes(budget_bytes, most) == expected


def test_shares_grow_with_the_budget_and_none_is_nothing_but_by_wish():
    small = Shares.of(MB, 512, sleep_share=0.05, notes_share=0.1)
    large = Shares.of(256 * MB, 512, sleep_share=0.05, notes_share=0.1)
    for name in ("journal_rows", "probe_rows", "stream_rows", "tombstone_rows", "note_bytes"):
        assert 0 < getattr(small, name) < getattr(large, name)
    none = Shares.of(MB, 512, sleep_share=0, notes_share=0)
    assert (none.tombstone_rows, none.note_bytes) == (0, 0)
