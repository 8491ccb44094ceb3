from __future__ import annotations

import stat
from pathlib import Path

from hippocam.apps.web.titles import Titles


def test_titles_are_kept_beside_the_memory_until_they_are_taken_back(tmp_path: Path) -> None:
    Titles(tmp_path / "memory").put("yard", "Behind the house")
    titles = Titles(tmp_path / "memory")
    titles.put("door", "Tür")
    assert titles.every() == {"yard": "Behind the house", "door": "Tür"}
    titles.put("yard", "")
    assert titles.every() == {"door": "Tür"}
    assert not (tmp_path / "memory").exists()
    assert stat.S_IMODE((tmp_path / "memory.web" / "titles.json").stat().st_mode) == 0o600


def test_a_file_that_is_none_of_ours_gives_no_titles(tmp_path: Path) -> None:
    (tmp_path / "memory.web").mkdir()
    (tmp_path / "memory.web" / "titles.json").write_text("[1, 2")
    assert Titles(tmp_path / "memory").every() == {}
