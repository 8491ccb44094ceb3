"""Gradio is imported before the tests of the page.

Warnings are errors here, and while one thread imports it, no other can rely on which warnings are let pass.
"""

from __future__ import annotations

import gradio  # noqa: F401
