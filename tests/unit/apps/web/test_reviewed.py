from __future__ import annotations

from pathlib import Path

from hippocam.apps.web.reviewed import Reviewed


def test_marks_stay_are_taken_back_and_go_with_what_they_mark(tmp_path: Path) -> None:
    known = {"a", "b", "c"}
    Reviewed(tmp_path / "memory").mark(["a", "b"], True, known=known)
    again = Reviewed(tmp_path / "memory")
    assert again.ids() == {"a", "b"}
    again.mark(["a"], False, known=known)
    assert again.ids() == {"b"}
    again.mark(["c", "unknown"], True, known={"c"})
    assert again.ids() == {"c"}


def test_a_file_that_cannot_be_read_marks_nothing(tmp_path: Path) -> None:
    (tmp_path / "memory.web").mkdir()
    (tmp_path / "memory.web" / "reviewed.json").write_text("{broken")
    assert Reviewed(tmp_path / "memory").ids() == frozenset()
