"""What to do about an error that the page shows: its reader has no command line, whoever started it has."""

from __future__ import annotations

from hippocam.apps import errors

ADVICE: errors.Advice = {
    errors.LockedError: "then try again",
    errors.OlderFormatError: lambda error: f"stop the page and run: hippocam upgrade --memory {error.folder}",
    errors.BudgetTooSmallError: "start the page with settings that give the memory a larger memory.budget_bytes",
    errors.EncoderMismatchError: lambda error: f"start the page with settings that name encoder {error.made_with}",
    errors.TooLargeError: "have the file watched on the machine itself: hippocam watch FILE",
}
