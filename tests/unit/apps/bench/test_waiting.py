import dataclasses
import json

from hippocam.apps.bench.waiting.waiting import Times, run, table


def test_times_are_percentiles_in_milliseconds():
    times = Times.of([0.001 * k for k in range(101)])
    assert (times.p50_ms, times.p99_ms, times.max_ms) == (50.0, 99.0, 100.0)


def test_a_small_run_waits_for_every_write_and_asks_meanwhile():
    result = run(fill=300, seconds=0.5, fps=100.0, dim=16, budget_bytes=1_000_000)
    assert result.frames == 50
    assert result.questions >= 1
    assert 0 < result.entries < 350
    for times in (result.write, result.write_cpu, result.recall_alone, result.recall):
        assert 0 < times.p50_ms <= times.p99_ms <= times.max_ms
    assert table(result).count("\n| ") == 5
    assert json.loads(json.dumps(dataclasses.asdict(result)))["write"]["p99_ms"] == result.write.p99_ms
