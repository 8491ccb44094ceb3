"""The page's screen as a Gradio component: one HTML element whose script is ours, and its two events.

Gradio carries what takes long: a question goes through its queue, and what is told of the answer comes back as the
component's value. The element's script (static/app.js) draws everything into a shadow tree, where no style of
Gradio's reaches, and looks up the rest over HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import gradio as gr
from fastapi import FastAPI

from hippocam.apps.web.access.client import client_of

Json = dict[str, Any]
# Questions that wait for their turn.
_WAITING = 20
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' "
    "stroke='%230b7268' stroke-width='2' stroke-linecap='round'%3E%3Crect x='1.5' y='4.5' width='21' "
    "height='15' rx='4'/%3E%3Cpath d='M6 15c2-6 4-6 6-2s4 2 6-4'/%3E%3C/svg%3E"
)
_HEAD = f'<link rel="icon" href="{_ICON}"><meta name="viewport" content="width=device-width, initial-scale=1">'
_FONT = ["system-ui", "sans-serif"]
_CSS = "footer { display: none; } body { overflow: hidden; }"
# Rules outside of a block are the element's own.
_FILLS = "position: fixed; inset: 0; z-index: 1; display: block; margin: 0; padding: 0;"
_SCRIPT = """
const opened = {
  element,
  ask: (wanted) => trigger("ask", wanted),
  stop: (wanted) => trigger("stop", wanted),
  onTold: (callback) => watch("value", () => callback(props.value)),
};
import(new URL("hippocam/static/app.js", document.baseURI).href).then(({ start }) => start(opened));
"""


class Answering(Protocol):
    """Who answers the questions of all tabs: see questions.py."""

    def ask(self, wanted: Json, client: str) -> Iterator[Json]:
        """Answer a question, telling step by step."""

    def stop(self, question_id: str) -> None:
        """Let a question be."""


def build_page(asking: Answering) -> gr.Blocks:
    """Lay out the page: the screen, and what its events do."""

    def ask(event: gr.EventData, request: gr.Request) -> Iterator[Json]:
        yield from asking.ask(dict(event._data), client_of(request))

    def stop(event: gr.EventData) -> None:
        asking.stop(str(dict(event._data).get("id", "")))

    with gr.Blocks(title="Hippocam", analytics_enabled=False, fill_width=True) as page:
        # No subclass: at each import Gradio writes a stub file of one beside its source.
        screen = gr.HTML(
            html_template='<p class="hc-opening" role="status">Opening the memory…</p>',
            css_template=_FILLS,
            js_on_load=_SCRIPT,
            apply_default_css=False,
            elem_id="hippocam",
        )
        private = {"api_visibility": "private", "show_progress": "hidden"}
        screen.ask(ask, outputs=[screen], concurrency_limit=4, trigger_mode="multiple", **private)
        screen.stop(stop, concurrency_limit=None, trigger_mode="multiple", queue=False, **private)
    return page


def page_app(asking: Answering) -> FastAPI:
    """The page as an application of its own, to be put under our routes."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gr.mount_gradio_app(
        app,
        build_page(asking).queue(max_size=_WAITING),
        path="/",
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        max_file_size="1mb",  # Gradio's own uploads are closed; ours are in incoming.py
        theme=gr.themes.Base(font=_FONT, font_mono=["ui-monospace", "monospace"]),
        head=_HEAD,
        css=_CSS,
    )
    return app
