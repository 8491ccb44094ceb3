"""Moments drawn for readers, and the report of their verdicts."""

import csv

import cv2
import numpy as np
import pytest

from hippocam.apps.bench.sentences import drawn, read_verdicts, report, write_sheets
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Embedding

ENCODER = make_encoder("palette")


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    """Two streams, one three times as long as the other, with real pictures."""
    folder = tmp_path_factory.mktemp("memory")
    jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 200, np.uint8))[1].tobytes()
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((18, ENCODER.spec.dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with Memory.open_writer(folder, encoder="palette", spec=ENCODER.spec) as writer:
        for stream, length in (("long", 180), ("short", 60)):
            writer.begin(stream, uri=stream, fps=1)
            for second in range(length):
                vector = vectors[second // 10]
                item = Embedding(stream=stream, seq=second, time_s=float(second), vector=vector, jpeg=jpeg)
                writer.write([item])
            writer.finish(stream)
    with Memory.open_reader(folder) as reader:
        yield reader


def test_as_many_are_drawn_of_each_stream_and_the_seed_says_which(memory):
    reads = drawn(memory, 8, 1)
    assert [read.stream for read in reads] == ["long"] * 4 + ["short"] * 4
    assert [read.number for read in reads] == list(range(1, 9))
    assert all(read.sentence for read in reads)
    entries = [read.entry for read in reads]
    assert entries == [read.entry for read in drawn(memory, 8, 1)]
    assert entries != [read.entry for read in drawn(memory, 8, 2)]


def test_sheets_show_every_moment_and_the_table_is_read_back(memory, tmp_path):
    reads = drawn(memory, 18, 0)
    *sheets, table = write_sheets(tmp_path, memory, reads)
    assert [cv2.imread(str(sheet)).shape for sheet in sheets] == [(1200, 1600, 3), (300, 1600, 3)]
    assert read_verdicts(table) == reads


def verdicts(table, first, second):
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        for row, one, two in zip(rows, first, second, strict=True):
            writer.writerow(row | {"first": one, "second": two})


def test_the_report_counts_verdicts(memory, tmp_path):
    *_, table = write_sheets(tmp_path, memory, drawn(memory, 4, 0))
    verdicts(table, ["r", "r", "p", "wn"], ["r", "p", "p", "w"])
    told = report(read_verdicts(table)).splitlines()
    assert told[2] == "| first | 2 (50%) | 1 (25%) | 1 (25%) | 1 (25%) | 0 (0%) |"
    assert told[3] == "| second | 1 (25%) | 2 (50%) | 1 (25%) | 0 (0%) | 0 (0%) |"
    assert "agree on 3 of 4" in told[5]
    assert told[-1].endswith("| wrong, nobody is there | wrong |")


@pytest.mark.parametrize("verdict", ["x", "rx", "n"])
def test_a_verdict_that_is_none_is_refused(memory, tmp_path, verdict):
    *_, table = write_sheets(tmp_path, memory, drawn(memory, 1, 0))
    verdicts(table, [verdict], [""])
    with pytest.raises(HippocamError, match="row 1"):
        read_verdicts(table)


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(HippocamError, match="no table"):
        read_verdicts(tmp_path / "nowhere.csv")
