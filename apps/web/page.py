"""The page's layout and its handlers: questions in, answers with evidence out."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from pathlib import Path

import gradio as gr

from hippocam.apps.ask.conversation import Answers
from hippocam.apps.ask.question.meaning import Turn
from hippocam.apps.errors import advised
from hippocam.apps.web import cards
from hippocam.apps.web.advice import ADVICE
from hippocam.apps.web.door import LOGOUT, client_of
from hippocam.apps.web.limits import QUESTION_LETTERS, QUESTIONS, Allowance
from hippocam.apps.web.media import Library, stream_key
from hippocam.apps.web.uploads import UPLOAD_LIMIT_BYTES, uploads_folder
from hippocam.stream.errors import HippocamError
from hippocam.stream.sources.folders import VIDEO_SUFFIXES

_FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Noto Sans", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]
_MARK = (
    '<svg class="hc-mark" viewBox="0 0 24 24" aria-hidden="true"><rect x="1.5" y="4.5" width="21" height="15" '
    'rx="4"/><path d="M6 15c2-6 4-6 6-2s4 2 6-4"/><circle cx="18" cy="9" r="1.6"/></svg>'
)
_BRAND = f'<div class="hc-brand">{_MARK}<h1>Hippocam</h1></div>'
_LEAVE = f'<form method="post" action="{LOGOUT}"><button class="hc-leave">Log out</button></form>'
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' "
    "stroke='%230b7268' stroke-width='2' stroke-linecap='round'%3E%3Crect x='1.5' y='4.5' width='21' "
    "height='15' rx='4'/%3E%3Cpath d='M6 15c2-6 4-6 6-2s4 2 6-4'/%3E%3C/svg%3E"
)
_HINT = (
    "Ask in plain words. The answer comes with the moments that it rests on; where nothing matches, it says so."
)


def asset(name: str) -> str:
    """Text of a file that ships with the page: style.css, page.js or uploads.js."""
    return (importlib.resources.files("hippocam.apps.web") / name).read_text(encoding="utf-8")


def head() -> str:
    """What goes into the page's head.

    All of it is inline: Gradio adds it late and by script, so files would come in any order, or after the first
    event.
    """
    script = asset("page.js") + asset("uploads.js")
    return f'<link rel="icon" href="{_ICON}"><style>{asset("style.css")}</style><script>{script}</script>'


def theme() -> gr.themes.Base:
    """Flat surfaces and fonts of the system: nothing is fetched. Colours as in style.css."""
    made = gr.themes.Base(font=_FONT, font_mono=_MONO, radius_size="md", spacing_size="sm")
    return made.set(
        body_background_fill="#f6f6f3",
        body_background_fill_dark="#111315",
        body_text_color="#1b1d1f",
        body_text_color_dark="#e7eaec",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_padding="0",
        block_shadow="none",
        block_shadow_dark="none",
    )


def build_page(session: Answers, library: Library, *, may_leave: bool = False) -> gr.Blocks:
    """Lay out the page.

    Args:
        session: What questions go to.
        library: Library of the same session.
        may_leave: Whether people are in by a password, and may log out.

    Returns:
        Blocks to be mounted; `theme` and `head` belong to them.
    """

    def overview() -> tuple[object, str]:
        """The streams to choose from, and the status strip."""
        try:
            found = library.status()
        except HippocamError as error:
            return gr.update(choices=[], value=None), cards.error(advised(error, ADVICE))
        streams = found.streams if found else ()
        choices = [(stream.id, stream_key(stream.id)) for stream in streams]
        value = gr.update(choices=choices, value=choices[0][1] if choices else None)
        return value, cards.status(found)

    def refreshed(current: str | None) -> tuple[object, str]:
        """As `overview`, but the stream that was chosen stays chosen."""
        found = library.status()
        choices = [(stream.id, stream_key(stream.id)) for stream in found.streams] if found else []
        keep = current if current in [key for _, key in choices] else None
        return gr.update(choices=choices, value=keep), cards.status(found)

    asking = Allowance(QUESTIONS)

    def ask(
        question: str, only: bool, key: str | None, turn: Turn | None, request: gr.Request
    ) -> Iterator[tuple[str, Turn | None]]:
        """The answer to a question, which may lean on the one before it."""
        with asking.take(client_of(request.client.host if request.client else "")) as free:
            if not free:
                yield cards.error("You are asking several questions already; wait for their answers."), turn
                return
            yield cards.looking(), turn
            yield answer(session, library, question, key if only else None, turn)

    with gr.Blocks(title="Hippocam", analytics_enabled=False, fill_width=True) as page:
        with gr.Row(elem_id="hc-header"):
            gr.HTML(_BRAND, elem_id="hc-brand", js_on_load=None, apply_default_css=False)
            status = gr.HTML(elem_id="hc-status", js_on_load=None, apply_default_css=False)
            if may_leave:
                gr.HTML(_LEAVE, elem_id="hc-leave", js_on_load=None, apply_default_css=False)
        with gr.Row(elem_id="hc-main"):
            with gr.Column(elem_id="hc-left", min_width=0):
                with gr.Row(elem_id="hc-pick"):
                    streams = gr.Dropdown(
                        [], label="Video", show_label=False, container=False, interactive=True,
                        elem_id="hc-streams",
                    )  # fmt: skip
                    if library.folder is not None:
                        gr.HTML(
                            '<button type="button" id="hc-add" data-add>Add a video</button>',
                            elem_id="hc-adding",
                            js_on_load=None,
                            apply_default_css=False,
                        )
                gr.HTML(_player(library.folder), elem_id="hc-player", js_on_load=None, apply_default_css=False)
            with gr.Column(elem_id="hc-right", min_width=0):
                with gr.Row(elem_id="hc-ask"):
                    question = gr.Textbox(
                        placeholder="When did a person walk by?", label="Question", show_label=False,
                        container=False, lines=1, max_lines=1, max_length=QUESTION_LETTERS, elem_id="hc-question",
                        autofocus=True,
                    )  # fmt: skip
                    button = gr.Button("Ask", variant="primary", elem_id="hc-go")
                only = gr.Checkbox(False, label="Only in this video", container=False, elem_id="hc-only")
                result = gr.HTML(cards.hint(_HINT), elem_id="hc-result", js_on_load=None, apply_default_css=False)
        turn = gr.State(None)
        refresh = gr.Button("Refresh", visible="hidden", elem_id="hc-refresh")
        sync = gr.Button("Choose", visible="hidden", elem_id="hc-sync")

        private = {"api_visibility": "private", "show_progress": "hidden"}
        page.load(overview, outputs=[streams, status], **private).then(
            None, inputs=[streams], js="(key) => { window.hippocam.start(key); }"
        )
        streams.input(None, inputs=[streams], js="(key) => { window.hippocam.show(key); }")
        sync.click(None, outputs=[streams], js="() => window.hippocam.current()")
        refresh.click(refreshed, inputs=[streams], outputs=[streams, status], **private).then(
            None, inputs=[streams], js="(key) => { window.hippocam.refreshed(key); }"
        )
        gr.on(
            [question.submit, button.click],
            ask,
            inputs=[question, only, streams, turn],
            outputs=[result, turn],
            concurrency_limit=4,
            trigger_mode="always_last",
            **private,
        ).then(None, js="() => { window.hippocam.marks(); }")
    return page


def _player(folder: Path | None) -> str:
    """The player; it offers to add a video only where there is a single folder to add it to."""
    if folder is None:
        return cards.player()
    uploads = f"{uploads_folder(folder).name}/"
    adding = cards.Adding(str(folder), uploads, UPLOAD_LIMIT_BYTES, sorted(VIDEO_SUFFIXES))
    return cards.player(adding)


def answer(
    session: Answers, library: Library, question: str, key: str | None, turn: Turn | None
) -> tuple[str, Turn | None]:
    """Ask the memory and lay out what it says, or in one line why it cannot.

    Args:
        session: What is asked.
        library: Library of the same session.
        question: In plain words.
        key: Only in this stream, see stream_key; None for all.
        turn: The question before it.

    Returns:
        HTML, and what the next question may lean on.
    """
    if not question.strip():
        return cards.hint("Type a question first."), turn
    if len(question) > QUESTION_LETTERS:
        return cards.error(f"A question may have {QUESTION_LETTERS} letters, found {len(question)}."), turn
    try:
        if library.status() is None:
            return cards.hint("This memory is empty. Add a video, then ask about it."), turn
        stream = library.stream(key) if key else None
        found = session.ask(question, stream=stream.id if stream else None, before=turn)
        session.used(found)
        return cards.answer(found, question), found.turn or turn
    except (HippocamError, ValueError) as error:
        return cards.error(advised(error, ADVICE)), turn
