"""Transactions that share a commit are kept together or not at all."""

import sqlite3

import pytest

from hippocam.memory.store.commits.transactions import Transactions


@pytest.fixture
def opened(tmp_path):
    """A connection with its transactions, what was told of them, and another connection that reads."""
    path = tmp_path / "any.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE kept (value UNIQUE)")
    told = []
    transactions = Transactions(db, lambda: told.append("committed"))
    transactions.undone.append(lambda: told.append("undone"))
    reader = sqlite3.connect(path, isolation_level=None)
    yield db, transactions, told, lambda: [value for (value,) in reader.execute("SELECT value FROM kept")]
    reader.close()
    db.close()


def keep(db, transactions, value, write=None):
    with transactions.one():
        db.execute("INSERT INTO kept VALUES (?)", (value,))
        if write is not None:
            transactions.with_commit(write)


def keep_together(db, transactions, values, error=None):
    with transactions.together(10):
        for value in values:
            keep(db, transactions, value)
        if error is not None:
            raise error


def test_each_transaction_is_committed_by_itself(opened):
    db, transactions, told, kept = opened
    keep(db, transactions, 1)
    assert kept() == [1]
    with pytest.raises(sqlite3.IntegrityError):
        keep(db, transactions, 1)
    keep(db, transactions, 2)
    assert kept() == [1, 2]
    assert told == ["committed", "committed"]


def test_so_many_share_a_commit_and_the_rest_is_committed_at_the_end(opened):
    db, transactions, told, kept = opened
    with transactions.together(3):
        for value in range(5):
            keep(db, transactions, value)
            assert kept() == ([] if value < 2 else [0, 1, 2])
    assert kept() == [0, 1, 2, 3, 4]
    assert told == ["committed", "committed"]


def test_what_had_ended_is_taken_back_with_the_one_that_fails_and_that_is_told(opened):
    db, transactions, told, kept = opened
    with pytest.raises(sqlite3.IntegrityError):
        keep_together(db, transactions, [1, 1])
    assert (kept(), told) == ([], ["undone"])


def test_a_block_within_another_shares_its_commits(opened):
    db, transactions, _, kept = opened
    with transactions.together(4):
        keep(db, transactions, 0)
        keep_together(db, transactions, [1, 2])
        assert kept() == []
    assert kept() == [0, 1, 2]
    keep(db, transactions, 3)
    assert kept() == [0, 1, 2, 3]  # again by itself


def test_what_is_to_be_done_behind_a_commit_is_done_then_and_waits_no_longer_than_the_block(opened):
    db, transactions, told, kept = opened
    transactions.after_commit(lambda: told.append("nothing to wait for"))
    with transactions.together(4):
        with transactions.together(3):
            keep(db, transactions, 0)
            transactions.after_commit(lambda: told.append(("after", kept())))
            keep(db, transactions, 1)
        assert kept() == [0, 1]
    assert told == ["nothing to wait for", ("after", [0, 1]), "committed"]


def test_what_is_to_be_done_behind_a_commit_that_fails_is_never_done(opened):
    db, transactions, told, kept = opened
    with transactions.together(3):
        keep(db, transactions, 0)
        transactions.after_commit(lambda: told.append("after"))
        with pytest.raises(sqlite3.IntegrityError):
            keep(db, transactions, 0)
    assert (kept(), told) == ([], ["undone"])


def test_what_ended_before_an_error_outside_any_transaction_is_kept(opened):
    db, transactions, told, kept = opened
    with pytest.raises(ValueError, match="no room"):
        keep_together(db, transactions, [1], ValueError("no room"))
    assert (kept(), told) == ([1], ["committed"])


def test_what_is_to_be_written_with_the_commit_is_written_once_and_taken_back_with_it(opened):
    db, transactions, told, kept = opened

    def write():
        db.execute("INSERT INTO kept VALUES ('with')")

    with transactions.together(10):
        for value in range(3):
            keep(db, transactions, value, write)
    assert kept() == [0, 1, 2, "with"]
    with pytest.raises(sqlite3.IntegrityError):  # `write` a second time fails
        keep(db, transactions, 3, write)
    assert kept() == [0, 1, 2, "with"]
    assert told == ["committed"]  # nothing else was taken back


def test_what_waits_can_be_committed_before_its_time(opened):
    db, transactions, _, kept = opened
    with transactions.together(10):
        keep(db, transactions, 1)
        transactions.settle()
        assert kept() == [1]
        keep(db, transactions, 2)
        assert kept() == [1]
    assert kept() == [1, 2]
