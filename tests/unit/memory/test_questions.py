"""The journal of questions: many append, one takes in, nothing exceeds its bytes, nothing foreign is believed."""

import json
import subprocess
import sys

import numpy as np
import pytest

from hippocam.memory.questions import NAME, Cited, QuestionJournal

D = 12
CITED = (Cited(7, "cam", 1.0, 2.5), Cited(9, "yard/left", 3.0, 3.0))


def unit(seed):
    row = np.random.default_rng(seed).normal(size=D)
    return (row / np.linalg.norm(row)).astype(np.float32)


def test_what_was_asked_comes_back_in_order(tmp_path):
    journal = QuestionJournal(tmp_path, 1_000_000)
    for seed in range(5):
        journal.append(unit(seed), CITED[: 1 + seed % 2])
    journal.append(None, CITED)
    read = journal.read(D)
    assert [q.cited for q in read] == [CITED[: 1 + seed % 2] for seed in range(5)] + [CITED]
    assert read[5].vector is None
    for seed in range(5):
        assert float(read[seed].vector @ unit(seed)) > 0.999
    assert len({q.token for q in read}) == 6
    assert [q.token for q in journal.read(D, after=read[3].token)] == [read[4].token, read[5].token]
    assert len(journal.read(D, after="a token that was deleted with its line")) == 6


def test_what_a_writer_has_is_deleted_and_what_came_since_stays(tmp_path):
    journal = QuestionJournal(tmp_path, 1_000_000)
    for seed in range(4):
        journal.append(unit(seed), CITED)
    tokens = [q.token for q in journal.read(D)]
    journal.delete(tokens[2])
    assert [q.token for q in journal.read(D)] == tokens[3:]
    journal.delete(tokens[3])
    assert (tmp_path / NAME).read_bytes() == b""


def test_it_never_exceeds_its_share_and_keeps_the_newest(tmp_path):
    journal = QuestionJournal(tmp_path, 1_000_000)
    assert journal.most_bytes == 10_000
    for seed in range(300):
        journal.append(unit(seed), [Cited(seed, "cam", 0.0, 1.0)])
        assert (tmp_path / NAME).stat().st_size <= 10_000
    ids = [q.cited[0].entry_id for q in journal.read(D)]
    assert ids == list(range(300 - len(ids), 300))
    assert len(ids) > 20
    assert QuestionJournal(tmp_path, 10**9).most_bytes == 256_000


def test_a_line_that_was_cut_short_costs_no_other_where_the_journal_is_full(tmp_path):
    journal = QuestionJournal(tmp_path, 1_000_000)
    journal.append(unit(1), CITED)
    while (tmp_path / NAME).stat().st_size < 9_700:
        journal.append(unit(1), CITED)
    with open(tmp_path / NAME, "ab") as file:
        file.write(b'{"token": "torn' + b"x" * (9_995 - (tmp_path / NAME).stat().st_size - 15))
    journal.append(unit(2), [Cited(77, "cam", 0.0, 1.0)])
    assert journal.read(D)[-1].cited[0].entry_id == 77
    assert (tmp_path / NAME).stat().st_size <= 10_000


def test_an_answer_that_rests_on_nothing_is_not_kept(tmp_path):
    QuestionJournal(tmp_path, 1_000_000).append(unit(0), ())
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"[1, 2]",
        b'{"token": "a"}',
        b'{"token": "a", "vector": "!!", "used": [["07", "cam", 0, 1]]}',
        b'{"token": "a", "vector": null, "used": []}',
        b'{"token": "a", "vector": null, "used": [["07", "cam", 2, 1]]}',
        b'{"token": "a", "vector": null, "used": [["07", "cam", 0, NaN]]}',
        b'{"token": "a", "vector": null, "used": [["ffffffffffffffff", "cam", 0, 1]]}',
        b'{"token": "a", "vector": "AAAA", "used": [["07", "cam", 0, 1]]}',
    ],
)
def test_foreign_and_torn_lines_are_passed_over(tmp_path, line):
    journal = QuestionJournal(tmp_path, 1_000_000)
    journal.append(unit(1), CITED)
    with open(tmp_path / NAME, "ab") as file:
        file.write(line)  # without an end
    journal.append(unit(2), CITED)
    assert [q.cited for q in journal.read(D)] == [CITED, CITED]


def test_vectors_of_another_encoder_are_passed_over(tmp_path):
    QuestionJournal(tmp_path, 1_000_000).append(unit(1), CITED)
    assert QuestionJournal(tmp_path, 1_000_000).read(D + 1) == []


APPENDER = """
import sys, numpy as np
from pathlib import Path
from hippocam.memory.questions import Cited, QuestionJournal

journal = QuestionJournal(Path(sys.argv[1]), 100_000_000)
for number in range(40):
    journal.append(np.eye(12, dtype=np.float32)[0], [Cited(1000 * int(sys.argv[2]) + number, "cam", 0.0, 1.0)])
"""


def test_several_processes_append_at_once(tmp_path):
    asking = [subprocess.Popen([sys.executable, "-c", APPENDER, str(tmp_path), str(k)]) for k in range(3)]
    assert [process.wait(120) for process in asking] == [0, 0, 0]
    ids = [q.cited[0].entry_id for q in QuestionJournal(tmp_path, 100_000_000).read(D)]
    assert sorted(ids) == sorted(1000 * k + number for k in range(3) for number in range(40))
    for line in (tmp_path / NAME).read_bytes().splitlines():
        json.loads(line)
