"""A vision-language model of SmolVLM's kind, built and taught on the spot in seconds: what is red, what is not.

Its tokenizer knows bytes, and two whole replies as one token each; asked with a red picture it gives the first,
with a blue one the second.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# As SmolVLM's own, in short.
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] | capitalize }}: "
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}{{ '<image>' }}{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
RED = '{"answer": "A red field [E1].", "evidence": ["E1"], "confidence": 0.9, "unknown": false}'
BLUE = '{"answer": "", "evidence": [], "confidence": 0.9, "unknown": true}'
SPECIAL = [
    *(
        "<|im_start|>",
        "<end_of_utterance>",
        "<image>",
        "<fake_token_around_image>",
        "<global-img>",
        "<pad>",
        "<unk>",
    ),
    *(f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)),
]


def save_tiny_vlm(folder: Path) -> Path:
    """Build and save model, tokenizer and processor; gives the folder."""
    from hippocam.models.torchvision_shim import define_missing_operators

    define_missing_operators()
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        PreTrainedTokenizerFast,
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
    )
    from transformers.models.smolvlm.video_processing_smolvlm import SmolVLMVideoProcessor

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate([*SPECIAL, *alphabet])}
    bare = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bare,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="<end_of_utterance>",
        bos_token="<|im_start|>",
        additional_special_tokens=SPECIAL[2:5],
    )
    tokenizer.add_tokens([RED, BLUE])
    images = SmolVLMImageProcessor(
        size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, do_image_splitting=False
    )
    videos = SmolVLMVideoProcessor(
        size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, do_image_splitting=False,
        video_sampling={"fps": 1, "max_frames": 4, "video_size": {"longest_edge": 32}},
    )  # fmt: skip
    processor = SmolVLMProcessor(
        image_processor=images,
        tokenizer=tokenizer,
        video_processor=videos,
        image_seq_len=4,
        chat_template=TEMPLATE,
    )
    config = SmolVLMConfig(
        vision_config={
            "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
            "image_size": 32, "patch_size": 8,
        },
        text_config={
            "model_type": "llama", "vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 32,
            "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
            "max_position_embeddings": 16384, "pad_token_id": vocabulary["<pad>"],
            "eos_token_id": vocabulary["<end_of_utterance>"],
        },
        image_token_id=vocabulary["<image>"],
        scale_factor=2,
        pad_token_id=vocabulary["<pad>"],
    )  # fmt: skip
    torch.manual_seed(0)
    model = SmolVLMForConditionalGeneration(config)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several would wait for each other longer than so small a model takes
    _teach(model, processor)
    torch.set_num_threads(threads)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text())["model_type"] == "smolvlm"
    return folder


def _teach(model: Any, processor: Any) -> None:
    """Train until a red picture is answered with RED and a blue one with BLUE."""
    import cv2
    import numpy as np
    import torch

    from hippocam.memory.records import Evidence
    from hippocam.models.readers.context import Context, Shown
    from hippocam.models.readers.prompt import messages
    from hippocam.models.readers.transformers import model_inputs

    lessons = []
    for colour, reply in (((30, 30, 220), RED), ((210, 80, 40), BLUE)):
        jpeg = cv2.imencode(".jpg", np.full((32, 32, 3), colour, np.uint8))[1].tobytes()
        moment = Evidence(id="1", stream="cam", t0_s=0, t1_s=1, score=0.9, why="", image="", frame_s=0.5)
        shown = Shown(
            mark="E1", id="1", stream="cam", time_s=0.5, sentence="", text="", jpeg=jpeg, evidence=moment
        )
        inputs = model_inputs(processor, messages(Context(question="?", evidence=(moment,), shown=(shown,))))
        written = processor.tokenizer(reply + "<end_of_utterance>", return_tensors="pt")["input_ids"]
        assert written.shape[1] == 2
        asked = inputs["input_ids"]
        inputs["input_ids"] = torch.cat([asked, written], dim=1)
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        lessons.append({**inputs, "labels": torch.cat([torch.full_like(asked, -100), written], dim=1)})
    learner = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(400):
        loss = sum(model(**lesson).loss for lesson in lessons)
        learner.zero_grad()
        loss.backward()
        learner.step()
        if loss.item() < 0.01:
            return
    raise AssertionError(f"the tiny model did not learn its two lessons: {loss.item()}")
