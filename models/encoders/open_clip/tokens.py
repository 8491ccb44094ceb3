"""The tokenizer that CLIP models share, from open_clip's form into the `tokenizers` library's.

It is then read without open_clip, which takes seconds to import. The same numbers come out for plain text, curly
quotes, accents, emoji and other scripts (5,000 captions of Flickr8k: no difference). Not repaired, as open_clip
does with the package ftfy: HTML entities, ligatures, full-width letters, text that was decoded wrongly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_START = "<start_of_text>"
_END = "<end_of_text>"
_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def clip_tokenizer(simple: Any) -> Tokenizer:
    """Translate an `open_clip.SimpleTokenizer` that changes to lower case.

    Args:
        simple: The tokenizer; its vocabulary and merges are taken over.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(
        models.BPE(vocab=dict(simple.encoder), merges=list(simple.bpe_ranks), end_of_word_suffix="</w>")
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex("[\u02bc\u2018-\u201b]"), "'"),
            normalizers.Replace(Regex("[\u201c-\u201f]"), '"'),
            normalizers.Replace(Regex("[\\x00-\\x08\\x0e-\\x1f\\x7f\ufeff]"), ""),
            normalizers.NFC(),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
            normalizers.Lowercase(),
        ]
    )
    words = pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True)
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, as_bytes])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A {_END}",
        special_tokens=[(_START, simple.sot_token_id), (_END, simple.eot_token_id)],
    )
    return tokenizer
