import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

PACKAGES = (
    "hippocam",
    "hippocam.stream",
    "hippocam.memory",
    "hippocam.apps",
    "hippocam.apps.archive",
    "hippocam.apps.robot",
)
HEAVY = {"torch", "ray", "faiss", "gradio", "transformers", "cv2", "numpy"}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_there(package):
    module = import_module(package)
    assert set(module.__all__) == set(module._HOMES)
    for name in module.__all__:
        if module._HOMES[name] == "env_wrapper" and find_spec("gymnasium") is None:
            continue  # comes with the extra [robot-bench]
        assert getattr(module, name) is getattr(import_module(f"{package}.{module._HOMES[name]}"), name)


@pytest.mark.parametrize("package", PACKAGES)
def test_another_name_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match=rf"module '{package}' has no attribute 'Nothing'"):
        _ = import_module(package).Nothing


def test_importing_the_packages_loads_nothing_heavy():
    code = f"import sys, {', '.join(PACKAGES)}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not HEAVY & set(loaded)
    assert "hippocam.memory" in loaded


def test_the_session_and_the_memory_are_at_the_top():
    from hippocam import Memory, Session

    assert Session is import_module("hippocam.apps.session").Session
    assert Memory is import_module("hippocam.memory.memory").Memory
