"""`python -m hippocam.apps.worlds.pixels FILE`: trains the encoder of the tour in pixels."""

from __future__ import annotations

import sys
from pathlib import Path

from hippocam.apps.terminal import tell
from hippocam.apps.worlds.pixels.encoder import learn
from hippocam.models.policies.training import one_thread

if __name__ == "__main__":
    with one_thread():
        share = learn(Path(sys.argv[1]), scenes=100, steps=400, seed=0, say=tell)
    tell(f"of 32 rooms that it has never seen, it names the right one in {100 * share:.1f} % of pictures")
