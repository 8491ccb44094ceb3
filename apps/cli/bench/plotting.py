"""Plots that commands draw, for which a package may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def plotting() -> Iterator[None]:
    """Say what is missing where nothing can be drawn."""
    from hippocam.stream.errors import HippocamError

    try:
        yield
    except ImportError as error:
        raise HippocamError("drawing needs matplotlib: pip install 'hippocam[bench]'") from error
