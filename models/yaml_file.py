"""A YAML file that a person wrote into plain values; whatever is wrong with it is said in a line."""

from __future__ import annotations

from pathlib import Path

# A file of settings has a page or two; a larger file is none.
_MOST_BYTES = 1_000_000


def read_yaml(path: Path) -> object:
    """Read a YAML file.

    Raises:
        ValueError: It is not YAML, not UTF-8, too deep or too long; it says which.
        OSError: It cannot be read.
    """
    import yaml

    with path.open("rb") as file:
        raw = file.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise ValueError(f"longer than {_MOST_BYTES:,} bytes")
    try:
        return yaml.safe_load(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from error
    except RecursionError:
        raise ValueError("not YAML that can be read: it is too deep") from None
    except (yaml.YAMLError, ValueError) as error:  # a ValueError for dates that do not exist
        raise ValueError(f"not YAML ({' '.join(str(error).split())})") from error
