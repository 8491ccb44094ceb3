"""What several benches can be told."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from hippocam.stream.errors import HippocamError

# Comes with the source code, not with an installed hippocam.
GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "golden"
FOOTAGE = GOLDEN / "footage"


def numbers(text: str) -> list[int]:
    """Numbers between commas."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"give numbers as 1,2,3, found {text!r}") from error


def there(file: Path) -> Path:
    """Return a file that is there.

    Raises:
        HippocamError: It is not.
    """
    if not file.is_file():
        raise HippocamError(f"{file}: no such file; run this in a checkout, or name your own")
    return file


def annotated(options: argparse.Namespace, *own: Path) -> tuple[list[Path], list[str]]:
    """Return the annotations that were given, else our own, and texts that no clip shows.

    Raises:
        HippocamError: A file is missing, or none was given and our own are not installed.
    """
    truth = options.truth or list(own)
    if options.truth is None and not FOOTAGE.is_dir():
        raise HippocamError(
            "no annotations come with an installed hippocam: give your own with --truth FILE..., and with "
            "--absent FILE a JSON list of texts that no clip shows"
        )
    shipped = FOOTAGE / "absent.json"
    absent = options.absent or (shipped if shipped.is_file() else None)
    for path in (*truth, *([absent] if absent else [])):
        if not path.exists():
            raise HippocamError(f"{path}: no such file; name your own with --truth and --absent")
    texts: list[str] = json.loads(absent.read_text(encoding="utf-8")) if absent else []
    return truth, texts
