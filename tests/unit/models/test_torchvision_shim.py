from __future__ import annotations

import subprocess
import sys

import pytest


def test_torchvision_can_be_imported_after_it() -> None:
    pytest.importorskip("torch")
    code = (
        "from hippocam.models.torchvision_shim import define_missing_operators as define;"
        " define(); define(); import torchvision; import torch; torch.ops.torchvision.nms"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if "No module named 'torchvision'" in done.stderr:
        pytest.skip("torchvision is not installed")
    assert done.returncode == 0, done.stderr
