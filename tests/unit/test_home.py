import subprocess
import sys
from pathlib import Path

import pytest

from hippocam.memory.trained import SHIPPED, looked_into, own_folder
from hippocam.models.weights import cache_root
from hippocam.stream.errors import HippocamError


def test_tests_keep_out_of_the_users_home(tmp_path_factory):
    own = tmp_path_factory.getbasetemp()
    code = "from pathlib import Path; print(Path.home())"
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for path in (Path.home(), cache_root(), own_folder(), Path(started.strip())):
        assert path.is_relative_to(own)


def test_a_user_without_a_home_is_told_what_to_set_and_may_watch(tmp_path, monkeypatch):
    """As a container that runs under a number that nobody has a name for."""

    def nobody(uid):
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    for variable, folder in (("HIPPOCAM_CACHE", cache_root), ("HIPPOCAM_DATA", own_folder)):
        monkeypatch.delenv("HOME", raising=False)
        monkeypatch.delenv(variable, raising=False)
        with pytest.raises(HippocamError, match=f"set {variable}"):
            folder()
    assert looked_into() == (SHIPPED,)
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
