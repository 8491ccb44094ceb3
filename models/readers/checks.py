"""Settings of readers into errors that name what is allowed."""

from __future__ import annotations


def check_whole(name: str, value: object, least: int, most: int) -> None:
    """Raise ValueError where a setting is no whole number from least to most."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"reader.{name} must be a whole number {least} to {most}, found {value!r}")


def check_number(name: str, value: object, least: float, most: float) -> None:
    """Raise ValueError where a setting is no number from least to most."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"reader.{name} must be a number {least:g} to {most:g}, found {value!r}")
