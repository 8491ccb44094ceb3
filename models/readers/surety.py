"""How sure an answer is, in words. Each stands for a belief.

"Clear" is said of what records say alone (visits, words), and 95 in 100 such answers are to be right. How many are
right with each word is measured in apps/bench/answers.
"""

from __future__ import annotations

from enum import Enum

# The most that the encoder may say alone, and where the detector saw such a thing, too. It takes an action for its
# noun ("a bottle breaks" for a bottle): of what it believed by .8 and more half was right.
ENCODER_AT_MOST, DETECTED_AT_MOST = 0.79, 0.9
# Beliefs from which on an answer is clear, likely, and seen at all.
_CLEAR, _LIKELY, _PERHAPS = 0.95, 0.8, 0.5


def of_picture(belief: float, *, detected: bool) -> Surety:
    """The word for a belief, 0 to 1, that rests on what a picture looks like.

    Args:
        belief: The belief.
        detected: Whether the detector saw a thing of the kind as well.
    """
    return Surety.of(min(belief, DETECTED_AT_MOST if detected else ENCODER_AT_MOST))


class Surety(Enum):
    """How sure an answer is."""

    CLEAR = "clear"
    LIKELY = "likely"
    PERHAPS = "perhaps"
    NOT_SEEN = "not seen"

    @classmethod
    def of(cls, belief: float) -> Surety:
        """The word for a belief, 0 to 1."""
        if belief >= _CLEAR:
            return cls.CLEAR
        if belief >= _LIKELY:
            return cls.LIKELY
        return cls.PERHAPS if belief >= _PERHAPS else cls.NOT_SEEN


def hedged(text: str, surety: Surety) -> str:
    """A statement with how sure it is: "Likely 0:24 to 0:32"; what is clear says so at its end.

    Args:
        text: The statement, without a full stop.
        surety: How sure it is.
    """
    if surety == Surety.CLEAR:
        return f"{text[:1].upper()}{text[1:]} (clear)."
    plain = text[:1].lower() + text[1:] if text[:2] not in ("I ", "I'") else text
    return f"{surety.value.capitalize()} {plain}."


def affirmed(text: str, surety: Surety) -> str:
    """A "yes" with what it rests on, and how sure it is.

    Args:
        text: What it rests on, without a full stop.
        surety: How sure it is; seen at least perhaps.
    """
    if surety == Surety.CLEAR:
        return f"Yes: {text} (clear)."
    return f"Yes, likely: {text}." if surety == Surety.LIKELY else f"Perhaps: {text}."
