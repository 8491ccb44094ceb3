"""What a package exports, imported on first use (PEP 562): what asks for help must load nothing heavy."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping


def exporter(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """Make the `__getattr__` of a package.

    Args:
        package: Its `__name__`.
        homes: Each exported name and the module of the package that defines it.
    """

    def get(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)

    return get
