"""How many pictures a second an encoder takes in on one core: a process of its own, one thread, warm.

Processor time is what others' work on the machine disturbs least; time by the clock stands beside it. Pictures are
arrays of 512 x 384 pixels, so that nothing is decoded, in chunks as the pipeline makes them. Never from a cache.
"""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import asdict, dataclass

import numpy as np

from hippocam.apps.bench.one_core import in_child, stay_on_one_core
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.protocols import Encoder

SIZE = (384, 512)
_ROUNDS = 5
_ROUND_S = 1.5
_LONGEST_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Pictures a second on one core, medians over the rounds.

    Attributes:
        by_cpu: By processor time of all its threads.
        by_clock: By the clock.
    """

    by_cpu: float
    by_clock: float


def run(encoder: str, *, round_s: float = _ROUND_S) -> Speed:
    """Measure an encoder by name, in a process of its own on one core.

    Args:
        encoder: Its name.
        round_s: See `measure`.

    Raises:
        HippocamError: It cannot encode there.
    """
    given = json.dumps({"encoder": encoder, "round_s": round_s})
    return Speed(**in_child(__name__, given, what=encoder, longest_s=_LONGEST_S))


def child(given: str) -> None:
    """Measure on one core and print a Speed as JSON: what the process of `run` does, given JSON as well."""
    stay_on_one_core()
    from hippocam.models.registry import make_encoder

    arguments = json.loads(given)
    print(json.dumps(asdict(measure(make_encoder(arguments["encoder"]), round_s=arguments["round_s"]))))


def measure(encoder: Encoder, *, rounds: int = _ROUNDS, round_s: float = _ROUND_S) -> Speed:
    """Measure in this process, as it is.

    Args:
        encoder: It encodes one chunk before the clock starts.
        rounds: How often, 1 or more.
        round_s: A round ends with the first chunk after this many seconds.
    """
    rng = np.random.default_rng(0)
    chunk = [rng.integers(0, 256, (*SIZE, 3), np.uint8) for _ in range(PipelineConfig().chunk)]
    encoder.encode_images(chunk)
    by_cpu, by_clock = [], []
    for _ in range(rounds):
        cpu_s, clock_s, count = time.process_time(), time.perf_counter(), 0
        while count == 0 or time.perf_counter() - clock_s < round_s:
            encoder.encode_images(chunk)
            count += len(chunk)
        by_cpu.append(count / max(time.process_time() - cpu_s, 1e-9))
        by_clock.append(count / max(time.perf_counter() - clock_s, 1e-9))
    return Speed(by_cpu=statistics.median(by_cpu), by_clock=statistics.median(by_clock))
