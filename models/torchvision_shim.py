"""Makes `import torchvision` work beside a CPU build of torch, for which torchvision has no build of its own.

Its compiled operators are then missing and its Python half fails at import with "operator torchvision::nms
does not exist". open_clip and timm import that half and never call the operators: declaring them is enough.
"""

from __future__ import annotations

from typing import cast

from hippocam.models.lazy import Lazy

_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def define_missing_operators() -> None:
    """Declare the operators, once per process and only where torchvision's own extension cannot be loaded."""
    _library()


def _define() -> object:
    import contextlib
    import importlib.machinery
    import importlib.util

    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return None
    extension = importlib.machinery.PathFinder.find_spec("_C", spec.submodule_search_locations)
    if extension is not None and extension.origin is not None:
        with contextlib.suppress(OSError):  # built for another torch, or for CUDA libraries that are not here
            torch.ops.load_library(extension.origin)  # type: ignore[no-untyped-call]
    if hasattr(torch.ops.torchvision, "nms"):
        return None
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for declaration in _OPERATORS:
        library.define(declaration)  # type: ignore[no-untyped-call]
    return cast(object, library)  # kept by Lazy: the operators vanish with it


_library = Lazy(_define)
