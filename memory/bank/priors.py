"""What consolidation learned elsewhere: an energy of utility.py, the user's own or what ships with the product.

One file an encoder, since a direction means something in one space only. An encoder without a file starts from
nothing and learns from its own streams alone.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from hippocam.memory.bank.utility import Prior
from hippocam.memory.trained import looked_into
from hippocam.stream.records import EncoderSpec


def prior_path(encoder_id: str, folder: Path) -> Path:
    """Path of an encoder's prior in a folder, whether it is there or not."""
    return folder / f"consolidation-{re.sub(r'[^a-z0-9.]+', '-', encoder_id.lower())}.safetensors"


def load_prior(spec: EncoderSpec, folder: Path | None = None) -> Prior | None:
    """Load what was trained for an encoder's space; None where nothing was.

    Args:
        spec: Spec of the encoder.
        folder: Where to look; None for the user's own folder first, then for what ships.
    """
    folders = looked_into() if folder is None else (folder,)
    paths = (prior_path(spec.id, each) for each in folders)
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return None
    tensors = load_file(path)
    rows, signs = tensors["rows"].astype(np.float32), tensors["signs"].astype(np.float32)
    if rows.shape[1] != spec.dim:
        return None
    fade_s, fade_power = tensors["fade"].tolist()
    return Prior(rows=rows, signs=signs, events=float(tensors["events"][0]), fade_s=fade_s, fade_power=fade_power)


def save_prior(prior: Prior, encoder_id: str, folder: Path) -> Path:
    """Write the prior of an encoder where `load_prior` looks for it; return its path."""
    path = prior_path(encoder_id, folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        "rows": np.ascontiguousarray(prior.rows, np.float32),
        "signs": np.ascontiguousarray(prior.signs, np.float32),
        "events": np.array([prior.events], np.float32),
        "fade": np.array([prior.fade_s, prior.fade_power], np.float32),
    }
    part = path.with_suffix(".part")
    save_file(tensors, part)
    part.chmod(0o644)
    part.replace(path)
    return path
