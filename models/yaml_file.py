"""A YAML file that a person wrote into plain values; whatever is wrong with it is said in a line."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

# A file of settings has a page or two; a larger file is none.
_MOST_BYTES = 1_000_000
_MOST_BITS = 64


def read_yaml(path: Path) -> object:
    """Read a YAML file.

    Raises:
        ValueError: It is not YAML, not UTF-8, too deep or too long, or has a number beyond 64 bits or a value by
            reference, of which a few lines can make billions; it says which.
        OSError: It cannot be read.
    """
    import yaml

    with path.open("rb") as file:
        raw = file.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise ValueError(f"longer than {_MOST_BYTES:,} bytes")
    try:
        values = yaml.load(raw.decode("utf-8"), Loader=_loader())  # a safe one
        _check_numbers(values)
        return values
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from error
    except RecursionError:
        raise ValueError("not YAML that can be read: it is too deep") from None
    except (yaml.YAMLError, ValueError) as error:  # a ValueError for dates that do not exist
        raise ValueError(f"not YAML ({' '.join(str(error).split())})") from error


@functools.cache
def _loader() -> Any:
    """PyYAML's safe loader, which refuses values by reference as soon as it meets one, and keys twice."""
    import yaml

    class Plain(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            for key in keys:
                if keys.count(key) > 1:
                    raise yaml.YAMLError(f"it says {key!r} twice; leave one")
            return super().construct_mapping(node, deep)

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("it names a value by reference (*name); write it out")
            return super().compose_node(parent, index)

    return Plain


def _check_numbers(values: object) -> None:
    """Refuse numbers that no message could show; without references each value is looked at once."""
    if isinstance(values, int) and values.bit_length() > _MOST_BITS:
        raise ValueError(f"it has a number of {values.bit_length()} bits")
    if isinstance(values, dict):
        for key, value in values.items():
            _check_numbers(key)
            _check_numbers(value)
    elif isinstance(values, list):
        for value in values:
            _check_numbers(value)
