"""The small language model that a package ships, or a skip that says what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hippocam.models.errors import WeightsError
from hippocam.models.readers.gguf import SHIPPED
from hippocam.models.weights import fetch


def model_or_skip() -> Path:
    """The model's file; skips the test where llama-cpp-python is not installed or the model cannot be fetched."""
    pytest.importorskip("llama_cpp", reason="the extra [gguf] is not installed: llama-cpp-python is missing")
    try:
        return fetch(SHIPPED[0])
    except WeightsError as error:
        pytest.skip(str(error))
