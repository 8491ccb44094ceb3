"""Paths into source ids: readable, unique within one call, the same each time for the same files."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

# Folder names that say nothing about what is in them, so the parent's name is added.
_COMMON = frozenset(
    {"rgb", "color", "colour", "image", "images", "img", "imgs", "frame", "frames", "video", "videos"}
)


def slug(name: str) -> str:
    """Return a name with letters (of any script), digits, "-", "_" and "." kept and all else made one "-"."""
    text = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", name))
    return text.strip("-.") or "source"


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sorting key in which numbers count as numbers: frame2 before frame10."""
    parts = re.split(r"([0-9]+)", text)
    return tuple((0, int(part), "") if i % 2 else (1, 0, part.casefold()) for i, part in enumerate(parts))


def base_id(path: Path) -> str:
    """Return the id of a source that is watched alone: its file's stem or its folder's name."""
    if path.suffix and not path.is_dir():
        if re.search(r"[^\W\d_]", path.stem):
            return slug(path.stem)
        return slug("-".join((*_from_year_on(path.parent), path.stem)))  # a time of day alone says little
    name = slug(path.name)
    return f"{slug(path.parent.name)}-{name}" if name.casefold() in _COMMON and path.parent.name else name


def _from_year_on(folder: Path) -> tuple[str, ...]:
    """The names of a path's last folders, from the first that is a year or begins with one; none where none is."""
    years = [k for k, name in enumerate(folder.parts) if re.match(r"(?:19|20)[0-9]{2}(?![0-9]{5})", name)]
    return folder.parts[years[0] :] if years else ()


def unique_ids(paths: Sequence[Path]) -> list[str]:
    """Return an id for each of some different absolute paths.

    Where two would be the same, each gets its parent folder's name in front; where that does not tell them
    apart, a short hash of the absolute path behind.
    """
    ids = [base_id(path) for path in paths]
    for rename in (_with_parent, _with_hash):
        counts = Counter(ids)
        ids = [rename(name, path) if counts[name] > 1 else name for name, path in zip(ids, paths, strict=True)]
    return ids


def _with_parent(name: str, path: Path) -> str:
    return f"{slug(path.parent.name)}-{name}"


def _with_hash(name: str, path: Path) -> str:
    return f"{name}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
