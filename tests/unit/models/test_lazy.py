from __future__ import annotations

import pickle
import threading
import time

import pytest

from hippocam.models.lazy import Lazy


def make_list() -> list[int]:
    return [1]


def test_built_once_by_many_threads() -> None:
    built: list[int] = []

    def slow() -> object:
        time.sleep(0.02)
        built.append(1)
        return object()

    part, got = Lazy(slow), []
    threads = [threading.Thread(target=lambda: got.append(part())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert len({id(item) for item in got}) == 1


def test_failure_is_not_remembered() -> None:
    answers = iter([ValueError("first"), None])

    def factory() -> str:
        error = next(answers)
        if error is not None:
            raise error
        return "second"

    part = Lazy(factory)
    with pytest.raises(ValueError, match="first"):
        part()
    assert part() == "second"


def test_pickles_as_its_factory() -> None:
    part = Lazy(make_list)
    part().append(2)
    assert pickle.loads(pickle.dumps(part))() == [1]
