"""The telemetry of the libraries that have any, switched off: nothing leaves the machine that nobody asked for.

Each library reads its switch when it is imported, so the package `hippocam` sets them before it imports anything.
Other processes (Ray's workers, captures of live cameras) inherit them. What the user has set stays.
"""

from __future__ import annotations

import os

SWITCHES = {
    "ORT_DISABLE_TELEMETRY": "1",  # else onnxruntime looks a host up and writes into ~/.cache/Microsoft
    "GRADIO_ANALYTICS_ENABLED": "False",
    "RAY_USAGE_STATS_ENABLED": "0",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


def switch_off() -> None:
    """Set the switches in this process's environment, where the user has not."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
