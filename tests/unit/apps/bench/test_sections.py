import re

from hippocam.apps.bench.sections import NO_ENCODER, provenance, write_section


def test_a_section_is_written_in_the_place_of_the_old_one(tmp_path):
    page = tmp_path / "new" / "page.md"
    write_section(page, "One", "old", command="hippocam bench one", encoders=["a:1"])
    write_section(page, "Two", "second", command="hippocam bench two", encoders=[])
    write_section(page, "One", "new", command="hippocam bench one --again", encoders=["a:2"])
    text = page.read_text()
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == ["One", "Two"]
    one, two = text.split("\n## ")[1:]
    assert "new" in one
    assert "old" not in text
    assert "- Encoder: a:2\n" in one
    assert "- Command: `hippocam bench one --again`\n" in one
    assert "second" in two
    assert f"- Encoder: {NO_ENCODER}\n" in two


def test_above_a_section_stands_what_it_was_measured_with():
    lines = provenance("hippocam bench one", ["a:1", "a:1", "b:2"]).splitlines()
    assert lines[0] == "- Encoder: a:1, b:2"
    assert re.fullmatch(
        r"- Measured: \d{4}-\d\d-\d\d, (commit [0-9a-f]{7}( with changes)?|hippocam \d.*)", lines[1]
    )
    assert re.fullmatch(r"- Machine: .+, \d+ cores?", lines[2])
    assert lines[3:] == ["- Command: `hippocam bench one`"]
