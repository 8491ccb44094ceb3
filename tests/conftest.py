"""Fixtures of all tests."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

if "PYTEST_XDIST_WORKER" in os.environ:  # a process a core: threads of several would wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by NumPy when it is loaded, and by all that tests start

import numpy as np
import pytest

from hippocam.models.weights import cache_dir
from hippocam.stream.records import Embedding, FloatArray, Repeat

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests, and all that they start, a home of their own; fetched weights stay in the user's cache."""
    home, weights, pip = tmp_path_factory.mktemp("home"), cache_dir(), Path.home() / ".config" / "pip" / "pip.conf"
    weights.mkdir(parents=True, exist_ok=True)
    (home / ".cache" / "hippocam").mkdir(parents=True)
    (home / ".cache" / "hippocam" / "weights").symlink_to(weights.resolve())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in ("HIPPOCAM_CACHE", "HIPPOCAM_DATA", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            patch.delenv(name, raising=False)
        if pip.is_file() and "PIP_CONFIG_FILE" not in os.environ:  # the way to the user's package index
            patch.setenv("PIP_CONFIG_FILE", str(pip))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real test data; tests that need it are skipped where it is not."""
    folder = Path(os.environ.get("HIPPOCAM_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "video").is_dir():
        pytest.skip(f"no test data at {folder}: set HIPPOCAM_TEST_DATA to the folder that holds video/ and robot/")
    return folder


@pytest.fixture(scope="session")
def load_helpers() -> Callable[[str], ModuleType]:
    """Load a module below tests/ by its path: importlib mode keeps test modules from importing each other."""

    def load(path: str) -> ModuleType:
        file = ROOT / "tests" / path
        spec = importlib.util.spec_from_file_location(f"hippocam_test_{file.stem}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Make a folder once for all processes that the tests run in: `made_once("vlm", fill)` calls `fill(folder)`.

    Whoever comes second waits until it is whole. It must not be changed.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # each process has a folder of its own in there

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        made, making = base / f"once-{name}", base / f"once-{name}.making"
        with (base / f"once-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(making, ignore_errors=True)
                making.mkdir()
                fill(making)
                making.rename(made)
        return made

    return make


@pytest.fixture(scope="session")
def tiny_vlm(load_helpers: Callable[[str], ModuleType], made_once: Callable[..., Path]) -> Path:
    """Folder of a vision-language model that knows red from not red; see tests/tiny_vlm.py."""
    pytest.importorskip("transformers", reason="the extra [vlm] is not installed")
    pytest.importorskip("num2words", reason="the extra [vlm] is not installed")
    return made_once("vlm", load_helpers("tiny_vlm.py").save_tiny_vlm)


@pytest.fixture(scope="session")
def as_a_user() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python code with arguments in a process that modes stop, also where the tests run as root."""
    drop = "-dac_override,-dac_read_search"

    def run(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        if os.geteuid() == 0:
            if shutil.which("setpriv") is None:
                pytest.skip("as root, without setpriv, nothing is locked")
            command = ["setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if "setpriv" in done.stderr:
            pytest.skip(f"capabilities cannot be dropped here: {done.stderr}")
        return done

    return run


@pytest.fixture(scope="session")
def media(load_helpers: Callable[[str], ModuleType]) -> ModuleType:
    """The helpers of tests/media.py, which renders tiny real media files."""
    return load_helpers("media.py")


@pytest.fixture
def frames_of() -> Callable[..., list[Embedding | Repeat]]:
    """Make the items of one stream out of unit vectors: `frames_of("cam", [(time_s, vector), ...])`.

    A vector of None is a repeat. The JPEG of each frame says its time, so that a test can tell which was kept.
    """

    def make(
        stream: str,
        seen: Iterable[tuple[float, FloatArray | None]],
        *,
        first_seq: int = 0,
        jpeg_bytes: int = 0,
    ) -> list[Embedding | Repeat]:
        items: list[Embedding | Repeat] = []
        for seq, (time_s, vector) in enumerate(seen, start=first_seq):
            if vector is None:
                items.append(Repeat(stream=stream, seq=seq, time_s=time_s))
                continue
            unit = (vector / np.linalg.norm(vector)).astype(np.float32)
            jpeg = f"{stream}@{time_s:.3f}".encode().ljust(jpeg_bytes, b".")
            items.append(Embedding(stream=stream, seq=seq, time_s=time_s, vector=unit, jpeg=jpeg))
        return items

    return make


COLOURS = {"red": (220, 30, 30), "green": (40, 160, 60), "blue": (40, 80, 210), "yellow": (245, 225, 40)}


@pytest.fixture(scope="session")
def colour_video() -> Callable[..., Path]:
    """Render a video of plain colours: `colour_video(path, [("red", 5), ("blue", 3)])`, seconds each."""

    def make(path: Path, scenes: Iterable[tuple[str, float]], *, rate: int = 10) -> Path:
        import av

        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=rate)
            stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
            for colour, seconds in scenes:
                picture = np.full((90, 160, 3), COLOURS[colour], np.uint8)
                for _ in range(round(seconds * rate)):
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return make
