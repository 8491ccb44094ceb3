"""The parts of our rule, and what it is without one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from hippocam.memory.bank.codes import Codes, Signs, codes_of
from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.priors import load_prior
from hippocam.memory.bank.utility import Prior
from hippocam.memory.trained import SHIPPED
from hippocam.stream.records import EncoderSpec

Codec = Literal["ladder", "int8", "float16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Which parts of the product take part.

    Attributes:
        bank: Settings of the bank.
        codec: How keys are stored: "ladder" for int8, later reduced, as in the product; int8 alone; float16.
        background: Whether what was known is taken out of a key.
        stressed: Whether what is left of a slot is the event's scene with what is new in it stressed, which recall
            searches in the product, and not what is new alone.
        surprise: Whether an event is worth more the more it surprises.
        prior: What was trained on other streams of the same space; None for what ships with the space's encoder.
        trained: Whether what ships is taken.
        outline: Whether vectors are reduced to the outlines that ship with the encoder, and not to signs.
        short: Whether outlines may be made shorter.
    """

    bank: BankConfig = field(default_factory=BankConfig)
    codec: Codec = "ladder"
    background: bool = True
    stressed: bool = True
    surprise: bool = True
    prior: Prior | None = None
    trained: bool = True
    outline: bool = True
    short: bool = True

    def prior_for(self, encoder: str | None, dim: int) -> Prior | None:
        """What was trained beforehand for the space of an encoder, float32 [D] each; None where nothing was."""
        if self.prior is not None or encoder is None or not self.trained:
            return self.prior
        spec = EncoderSpec(id=encoder, dim=dim, normalised=True, midpoint=0.0, slope=1.0)
        return load_prior(spec, SHIPPED)

    def codes_for(self, encoder: str | None, dim: int) -> Codes:
        """What the vectors [dim] of an encoder are reduced to."""
        if self.codec != "ladder":
            return Codes(None)
        codes = codes_of(encoder, dim) if encoder is not None and self.outline else Codes(Signs(dim))
        return codes if self.short else replace(codes, short=None)


# Keys are never the same thing, nor redundant.
_APART = BankConfig(least_same=1.0, most_same=1.0)
ABLATIONS: Mapping[str, tuple[str, Parts]] = {
    "ours-float16": ("no codec: float16 keys", Parts(codec="float16")),
    "ours-undemoted": ("vectors are not reduced", Parts(codec="int8")),
    "ours-no-outline": ("signs in place of outlines", Parts(outline=False)),
    "ours-no-short": ("outlines are not made shorter", Parts(short=False)),
    "ours-no-background": ("nothing taken out of keys", Parts(background=False)),
    "ours-new-alone": ("keys of what is new, without the scene", Parts(stressed=False)),
    "ours-no-utility": ("all events worth the same", Parts(surprise=False, bank=BankConfig(arm="surprise"))),
    "ours-untrained": ("no prior", Parts(trained=False)),
    "ours-unmerged": ("nothing is the same or redundant", Parts(bank=_APART)),
    "ours-surprise": ("the chooser's rule of surprise", Parts(bank=BankConfig(arm="surprise"))),
    "ours-utility": ("the chooser's rule of what was learned", Parts(bank=BankConfig(arm="utility"))),
    "ours-product": ("the chooser's rule of both", Parts(bank=BankConfig(arm="product"))),
}
