"""Words that nobody vouches for into quoted data: they cannot end the quotation, nor pass for our own marks.

Labels, captions, speech, text on screen and names of files and streams come from outside. In what a model is
given they stand as JSON strings in which every character is escaped that could open or close anything: quotes,
brackets, angles, braces, bars, line ends. So no marker that we write, as `<data>`, `<12.0 seconds>` or `[E1]`, and
none of a chat template, as `<|im_end|>` or `[INST]`, can stand in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

# Everything but letters, digits and signs that are harmless in every chat template.
_RISKY = re.compile(r"[^\w !#$%&'()*+,\-./:;=?@^~]")
# Characters of one piece of outside text that a reader is given.
MOST_CHARS = 400
Value = str | float | int | Sequence["Value"]


def quoted(text: str, most_chars: int = MOST_CHARS) -> str:
    """A text as a JSON string of harmless characters, cut where it is longer than most_chars."""
    cut = text if len(text) <= most_chars else text[:most_chars] + "..."
    return '"' + _RISKY.sub(lambda found: _escape(found[0]), cut) + '"'


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def data_line(values: Mapping[str, Value]) -> str:
    """A JSON object in one line whose strings are quoted as above; keys are ours."""
    return "{" + ", ".join(f'"{key}": {_value(value)}' for key, value in values.items()) + "}"


def _value(value: Value) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value)
