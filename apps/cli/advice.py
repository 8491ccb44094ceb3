"""What to type about an error: errors say what is wrong, only the command line knows its flags and commands."""

from __future__ import annotations

from hippocam.apps import errors
from hippocam.stream.timecode import format_time

_OTHER_FOLDER = "give another --memory folder"
_LOCAL = "use --executor local"
_CLUSTER = "check --address, and set RAY_AUTH_MODE=token where the cluster asks for a token"
_EXPORT = "hippocam models export open_clip:MODEL/WEIGHTS FOLDER makes one"


def _other_encoder(error: errors.EncoderMismatchError) -> str:
    if error.made_with == error.asked_for:  # the same by name: it has changed since
        return "use the hippocam that made it, or watch again into another --memory folder"
    return f"use --encoder {error.made_with} or another --memory folder"


def _no_footage(error: errors.NoFootageError) -> str:
    if error.oldest_s is None:
        return "it is kept while hippocam live add runs"
    told = f"the oldest that is there begins at {format_time(error.oldest_s)}"
    return f"{told}; more is kept with --look-back, --look-back-mb, --keep and --keep-mb"


ADVICE: errors.Advice = {
    errors.NoMemoryError: lambda error: f"make one with: hippocam watch VIDEO --memory {error.folder}",
    errors.NotAMemoryError: f"{_OTHER_FOLDER}, one with a memory or an empty one",
    errors.LockedError: f"or {_OTHER_FOLDER}",
    errors.NoPermissionError: f"or {_OTHER_FOLDER}",
    errors.DamagedError: lambda error: f"see what can be saved: hippocam verify --memory {error.folder}",
    errors.PicturesMissingError: lambda error: (
        f"bring them back, or see what is left: hippocam verify --memory {error.folder}"
    ),
    errors.OlderFormatError: lambda error: f"bring it there with: hippocam upgrade --memory {error.folder}",
    errors.BudgetTooSmallError: "give a larger --budget-mb",
    errors.EncoderMismatchError: _other_encoder,
    errors.MixedEncodersError: "only memories of one encoder can be used together; take them one by one",
    errors.UnknownEntityError: "`hippocam entities` lists them",
    errors.UnknownEntryError: "see hippocam search",
    errors.EntryGivenUpError: lambda error: f"see hippocam explain {error.entry}",
    errors.UnknownVisitError: "`hippocam entities --json` lists them",
    errors.ConsolidatorError: "train it again: hippocam train sleep",
    errors.LibraryFilesError: "name the folder that holds them with --media DIR",
    errors.NoFootageError: _no_footage,
    errors.RayStartError: _LOCAL,
    errors.ClusterError: _CLUSTER,
    errors.NoFreeCoreError: f"end what holds them, or {_LOCAL}",
    errors.TooManyWorkersError: "give fewer --workers, or none for as many as fit",
    errors.HeadLostError: "start the cluster again, then go on with: hippocam archive --resume --address CLUSTER",
    errors.NoUsableMachineError: "install the package there, and its weights: hippocam models pull --all",
    errors.WorkersLateError: "end that, or give fewer --workers",
    errors.NoFreeGpuError: "leave --gpu-share out",
    errors.CardError: _EXPORT,
}


def advice_on_source(source: str) -> str:
    """What to type about a source that could not be watched; "" where its own error says all."""
    return f" (hippocam live add {source})" if "://" in source else ""
