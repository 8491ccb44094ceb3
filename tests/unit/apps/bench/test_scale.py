import dataclasses
import json

import numpy as np
import pytest

from hippocam.apps.bench.scale import ScaleResult, _slope, run_recall, run_search, run_stream, table


def test_a_small_run_measures_everything():
    result = ScaleResult(
        search=tuple(run_search(3000, 16, queries=5)),
        recall=(run_recall(300, 16, queries=5),),
        stream=(run_stream(3000),),
    )
    assert [r.recall for r in result.search] == [1.0] * 3
    (stream,) = result.stream
    assert 0 < stream.most_bytes <= stream.budget_bytes
    assert stream.events > 3000 / 12
    assert len(stream.frame_us) == 10
    assert "| 3,000 | 16 | flat | 0.9 |" in table(result)
    assert json.loads(json.dumps(dataclasses.asdict(result)))["recall"][0]["entries"] == 300


def test_the_slope_and_its_error_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    points = [(k, 3.0 * k + float(rng.standard_normal())) for k in range(50)]
    (truth, _), covariance = np.polyfit(*np.asarray(points).T, 1, cov="unscaled")
    slope, error = _slope(points)
    left = np.asarray([y - truth * x for x, y in points])
    assert slope == pytest.approx(truth)
    assert error == pytest.approx(np.sqrt(covariance[0, 0] * left.var() * 50 / 48), rel=1e-6)
