import subprocess
import sys
from pathlib import Path

from hippocam.memory.trained import own_folder
from hippocam.models.weights import cache_root


def test_tests_keep_out_of_the_users_home(tmp_path_factory):
    own = tmp_path_factory.getbasetemp()
    code = "from pathlib import Path; print(Path.home())"
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for path in (Path.home(), cache_root(), own_folder(), Path(started.strip())):
        assert path.is_relative_to(own)
