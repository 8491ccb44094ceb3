import json

import pytest

from hippocam.apps.web.views.site import number_of


@pytest.mark.parametrize(
    ("sent", "number"),
    [("3", 3.0), ("-2.5", -2.5), ("1e999", None), ("NaN", None), ("-Infinity", None), ("9" * 400, None),
     ("true", None), ('"3"', None), ("null", None), ("[]", None)],
)  # fmt: skip
def test_what_cannot_be_counted_with_is_no_number(sent, number):
    assert number_of(json.loads(f'{{"n": {sent}}}'), "n") == number
