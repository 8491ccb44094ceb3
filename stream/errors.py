"""Errors that a user can cause and mend; the command line prints them as one line."""

from __future__ import annotations


class HippocamError(Exception):
    """Base of the errors that name the setting or file at fault, what was found, and the fix.

    Attributes:
        exit_code: What a command that ends with it returns: 2 for wrong use, 1 where work was cut short.
    """

    exit_code = 2


class SourceError(HippocamError):
    """A source cannot be read, or not further than it was.

    Attributes:
        uri: The source at fault.
        reason: What is wrong and what to do about it.
    """

    def __init__(self, uri: str, reason: str) -> None:
        super().__init__(f"{uri}: {reason}")
        self.uri = uri
        self.reason = reason

    def __reduce__(self) -> tuple[type[SourceError], tuple[str, str]]:
        """Survive pickling between processes, which calls the class with args otherwise."""
        return type(self), (self.uri, self.reason)
