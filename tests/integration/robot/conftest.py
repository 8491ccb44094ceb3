"""What several tests of robots need: a policy that was taught in seconds, and openpi's own client."""

import subprocess
import sys

import pytest

from hippocam.apps.cli.main import main


@pytest.fixture(scope="session")
def policy(tmp_path_factory):
    """File of a policy of the tour."""
    path = tmp_path_factory.mktemp("policy") / "tour.safetensors"
    assert main(f"robot train --world tour --out {path} --episodes 24 --steps 400 --seed 3".split()) == 0
    return path


@pytest.fixture(scope="session")
def openpis_python(tmp_path_factory):
    """A Python with openpi's client, which wants a NumPy below 2, and typing_extensions without saying so."""
    folder = tmp_path_factory.mktemp("openpi") / "env"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    wanted = ("openpi-client==0.1.2", "typing_extensions")
    got = subprocess.run([python, "-m", "pip", "install", "-q", *wanted], capture_output=True, text=True)
    if got.returncode:
        pytest.skip(f"openpi-client cannot be installed here: {got.stderr.strip().splitlines()[-1]}")
    return python
