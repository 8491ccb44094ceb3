import pytest

from hippocam.stream.pipeline import PipelineConfig, Senses


@pytest.mark.parametrize(("name", "value"), [("fps", 0), ("chunk", 0), ("jpeg_quality", 101)])
def test_a_wrong_setting_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name} must be"):
        PipelineConfig(**{name: value})


def test_senses_are_told_apart_by_name():
    class Sense:
        id = "x:1"

    assert Senses().ids == ()
    assert Senses(looking=(Sense(),), reading=Sense()).ids == ("x:1", "x:1")
