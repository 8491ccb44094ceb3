"""Sentences found by their words alone: term frequency times inverse document frequency.

Shapes: N sentences; Q questions.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def words_of(text: str) -> list[str]:
    """The words of a sentence, in small letters."""
    return re.findall(r"[a-z0-9]+", text.lower())


def word_cosines(sentences: Sequence[str], questions: Sequence[str]) -> NDArray[np.float32]:
    """Cosines [Q, N] of questions and sentences as bags of words, each weighed by how rare it is there."""
    bags = [Counter(words_of(sentence)) for sentence in sentences]
    seen_in = Counter(word for bag in bags for word in bag)
    weight = {word: math.log((1 + len(bags)) / (1 + count)) + 1 for word, count in seen_in.items()}
    places: dict[str, list[int]] = {word: [] for word in weight}
    shares: dict[str, list[float]] = {word: [] for word in weight}
    for row, bag in enumerate(bags):
        length = math.sqrt(sum((count * weight[word]) ** 2 for word, count in bag.items())) or 1.0
        for word, count in bag.items():
            places[word].append(row)
            shares[word].append(count * weight[word] / length)
    rows = {word: np.array(of) for word, of in places.items()}
    values = {word: np.array(of, np.float32) for word, of in shares.items()}
    cosines_QN = np.zeros((len(questions), len(bags)), np.float32)
    for cosines_N, question in zip(cosines_QN, questions, strict=True):
        asked = {
            word: count * weight[word] for word, count in Counter(words_of(question)).items() if word in weight
        }
        length = math.sqrt(sum(value**2 for value in asked.values())) or 1.0
        for word, value in asked.items():
            cosines_N[rows[word]] += values[word] * np.float32(value / length)
    return cosines_QN
