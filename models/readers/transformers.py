"""The reader that runs a vision-language model in this process: "transformers:<folder or hub id>".

Any model that AutoModelForImageTextToText knows, as SmolVLM, Qwen-VL, Gemma. Code that a model brings is not run,
and weights are read from safetensors alone.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hippocam.models.errors import ReaderError
from hippocam.models.lazy import Lazy
from hippocam.models.readers.answer_stream import AnswerStream
from hippocam.models.readers.checks import check_whole
from hippocam.models.readers.context import Context, ContextConfig
from hippocam.models.readers.prompt import Message, messages
from hippocam.models.readers.reading import Reading
from hippocam.models.readers.reply import AGAIN_TOKENS, converse

if TYPE_CHECKING:
    from hippocam.models.readers.config import ReaderConfig

_INSTALL = "pip install 'hippocam[vlm]'"
# A folder without a model, a hub that cannot be reached, a model of another kind, no room on the device.
_LOAD_ERRORS = (OSError, ValueError, KeyError, RuntimeError, ImportError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformersConfig:
    """How a model is run.

    Attributes:
        device: "cpu", "cuda" or another that torch knows; "" for the GPU where there is one.
        max_new_tokens: Most tokens of a reply, 16 to 10,000.
    """

    device: str = ""
    max_new_tokens: int = 300

    def __post_init__(self) -> None:
        check_whole("transformers.max_new_tokens", self.max_new_tokens, 16, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    processor: Any
    model: Any
    most_tokens: int


class TransformersReader:
    """A local vision-language model; bfloat16 on a GPU, float32 on the CPU.

    Args:
        name: Folder of the model, or its id on the hub.
        config: How it is run.
        context: What it is given.
    """

    def __init__(self, name: str, config: TransformersConfig, context: ContextConfig) -> None:
        self.id = f"transformers:{name}"
        self._name = name
        self._config = config
        self._context = context
        self._parts = Lazy(self._load)
        self._lock = threading.Lock()

    @classmethod
    def from_config(cls, argument: str, config: ReaderConfig) -> TransformersReader:
        """Make it from settings; the argument is the model's folder or id."""
        return cls(argument, config.transformers, config.context)

    @property
    def budget(self) -> ContextConfig:
        """What it is given."""
        return self._context

    def read(self, context: Context, on_token: Callable[[str], None] | None = None) -> Reading:
        """Answer from what is given.

        Args:
            context: The question and what it is to be answered from. What is over the budget of tokens, as the
                model's own processor counts them, is left out.
            on_token: Gets the words of the answer as they come, before they are checked.

        Raises:
            ReaderError: The model cannot be loaded or run.
        """
        parts = self._parts()
        spare = 2 * self._config.max_new_tokens + AGAIN_TOKENS  # a reply that is rejected, and the next one
        most = min(self._context.tokens, parts.most_tokens) - spare

        def count(smaller: Context) -> int:
            return int(model_inputs(parts.processor, messages(smaller))["input_ids"].shape[1])

        def complete(turns: list[Message]) -> str:
            return self._generate(parts, turns, on_token)

        with self._lock:  # one at a time: two would double what the device must hold
            try:
                fitting = context.fitted(count, most) if context.shown else context
                return converse(fitting, complete, reader=self.id, sees=True)
            except RuntimeError as error:  # torch has no other for "out of memory"
                raise ReaderError(
                    f"{self.id} failed ({_first_line(error)}): lower reader.context.frames"
                ) from error

    def _generate(self, parts: _Parts, turns: list[Message], on_token: Callable[[str], None] | None) -> str:
        import torch

        model = parts.model
        inputs = model_inputs(parts.processor, turns).to(model.device, dtype=model.dtype)  # integers stay integers
        streamer = _streamer(parts.processor, AnswerStream(on_token)) if on_token else None
        with torch.inference_mode():
            out = model.generate(
                **inputs, max_new_tokens=self._config.max_new_tokens, do_sample=False, streamer=streamer
            )
        written = out[0, inputs["input_ids"].shape[1] :]
        return str(parts.processor.decode(written, skip_special_tokens=True))

    def _load(self) -> _Parts:
        from hippocam.models.torchvision_shim import define_missing_operators

        define_missing_operators()
        try:
            import torch
            from transformers import AutoModelForImageTextToText, AutoProcessor
        except ImportError as error:
            raise ReaderError(f"transformers cannot be imported ({error}): {_INSTALL}") from error
        device = self._config.device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            kind = torch.float32 if torch.device(device).type == "cpu" else torch.bfloat16
            processor = AutoProcessor.from_pretrained(self._name, trust_remote_code=False)
            model = AutoModelForImageTextToText.from_pretrained(
                self._name, dtype=kind, use_safetensors=True, trust_remote_code=False
            ).to(device)
        except _LOAD_ERRORS as error:
            raise ReaderError(
                f"{self.id} cannot be loaded ({_first_line(error)}): name the folder of a vision-language "
                "model, or connect to the hub once"
            ) from error
        model.eval().requires_grad_(False)
        most = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        return _Parts(processor=processor, model=model, most_tokens=most or self._context.tokens)


def model_inputs(processor: Any, turns: list[Message]) -> Any:
    """A conversation as the model's inputs: token ids int64 [1, T], and pixels."""
    from PIL import Image

    conversation = [
        {
            "role": turn.role,
            "content": [
                {"type": "text", "text": part}
                if isinstance(part, str)
                else {"type": "image", "image": Image.open(io.BytesIO(part)).convert("RGB")}
                for part in turn.parts
            ],
        }
        for turn in turns
    ]
    return processor.apply_chat_template(
        conversation, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )


def _streamer(processor: Any, on_text: Callable[[str], None]) -> Any:
    from transformers import TextStreamer

    class Streamer(TextStreamer):  # type: ignore[misc]
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            on_text(text)

    return Streamer(processor.tokenizer, skip_prompt=True, skip_special_tokens=True)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
