"""A measurement in a process of its own, on one core, with one thread a library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from hippocam.stream.errors import HippocamError

_ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": "threads;1",
}


def in_child(module: str, argument: str, *, what: str, longest_s: float) -> dict[str, Any]:
    """Call a module's `child(argument)` in a new process, and give the JSON of the last line that it prints.

    Args:
        module: Its name; `child` calls `stay_on_one_core` before it loads anything else.
        argument: Handed over as it is.
        what: What is measured, for the message where it fails.
        longest_s: Seconds after which it is ended.

    Raises:
        HippocamError: It failed; the message holds the last line that it wrote to stderr.
    """
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; from {module} import child; child(sys.argv[1])", argument],
        env={**os.environ, **_ONE_THREAD},
        capture_output=True,
        text=True,
        timeout=longest_s,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise HippocamError(f"{what}: {reason[-1] if reason else done.returncode}")
    given: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return given


def stay_on_one_core() -> None:
    """Keep this process on the last core that it may use, and OpenCV to one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import cv2

    cv2.setNumThreads(1)
