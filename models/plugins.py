"""Encoders that other packages bring: entry points of the group "hippocam.encoders".

A package says in its pyproject.toml

    [project.entry-points."hippocam.encoders"]
    mine = "my_package.encoder:MyEncoder"

and is chosen as "mine" or "mine:argument". What the entry names is called with the argument ("" without one) and
gives an encoder: a class does, or a function. A name of our own cannot be taken. Nothing of a package is imported
before its encoder is chosen or inventory.py asks whether it can be used.
"""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hippocam.models.errors import PluginError
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder

GROUP = "hippocam.encoders"
_MEMBERS = ("spec", "encode_images", "encode_texts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An encoder that a package announces.

    Attributes:
        name: By which it is chosen.
        package: Name and version of the distribution that brings it.
        points: Where its makers are, "module:name" each; more than one if packages quarrel over a name.
    """

    name: str
    package: str
    points: tuple[importlib.metadata.EntryPoint, ...]

    def load(self) -> Callable[[str], Encoder]:
        """Import what makes the encoder.

        Raises:
            PluginError: It cannot be imported or called, or several packages bring this name.
        """
        if len(self.points) > 1:
            raise PluginError(f"encoder {self.name!r} is brought by {self.package}: uninstall all but one")
        (point,) = self.points
        try:
            made: Any = point.load()
        except Exception as error:  # a stranger's module may fail with anything, and must not end this process
            raise self._broken(f"{point.value} cannot be imported", error) from error
        if not callable(made):
            raise PluginError(
                f"encoder {self.name!r} of {self.package} is broken ({point.value} is no class and no function):"
                " tell its makers"
            )

        def make(argument: str) -> Encoder:
            try:
                encoder: Encoder = made(argument)
            except HippocamError:
                raise
            except Exception as error:  # as above
                raise self._broken(f"{point.value} fails", error) from error
            # asked without running a property, which may read weights
            missing = [member for member in _MEMBERS if inspect.getattr_static(encoder, member, None) is None]
            if missing:
                raise PluginError(
                    f"encoder {self.name!r} of {self.package} is broken (it has no {' and no '.join(missing)}):"
                    " tell its makers"
                )
            return encoder

        return make

    def _broken(self, what: str, error: Exception) -> PluginError:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return PluginError(
            f"encoder {self.name!r} of {self.package} is broken ({what}: {reason}): update or uninstall it"
        )


def encoder_plugins() -> dict[str, Plugin]:
    """Give the encoders that installed packages announce, by name; nothing of theirs is imported."""
    found: dict[str, dict[str, importlib.metadata.EntryPoint]] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        package = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"
        found.setdefault(point.name, {})[package] = point
    return {
        name: Plugin(name=name, package=" and ".join(sorted(points)), points=tuple(points.values()))
        for name, points in sorted(found.items())
    }
