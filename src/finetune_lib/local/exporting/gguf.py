"""A model's folder as one GGUF file, which llama.cpp and what stands on it read: dense Llama, Mistral, Qwen 2 and 3.

What would be read otherwise than it was meant is refused: llama.cpp takes a wrong name of a tokenizer, an unknown
scaling of positions or a window of attention without a word, and answers nonsense.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from finetune_lib.errors import DataError
from finetune_lib.extras import require

Precision = Literal["f32", "f16", "q8_0"]
PRECISIONS: Mapping[str, int] = {"f32": 0, "f16": 1, "q8_0": 7}  # with llama.cpp's number of the file's type
FAMILIES = {"llama": "LLAMA", "mistral": "LLAMA", "qwen2": "QWEN2", "qwen3": "QWEN3"}
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLITS = {QWEN: "qwen2", QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|"): "llama-bpe"}
UNUSED_MERGE = "ÿ ÿ"  # bytes FF FF never occur in UTF-8: for a vocabulary without merges, which llama.cpp refuses
BLOCK = 32  # numbers that q8_0 packs together


def write_gguf(folder: Path, target: Path, *, precision: Precision) -> None:
    """Write a model's folder as a GGUF file.

    Raises:
        DataError: Its family, its tokenizer or a setting of it is not known here.
        MissingExtraError: Without the extra `gguf`.
    """
    gguf = require("gguf", extra="gguf", feature="Export to GGUF")
    config, tokenizer = (json.loads((folder / name).read_bytes()) for name in ("config.json", "tokenizer.json"))
    require_known(config)
    splits = splits_of(tokenizer)
    architecture = getattr(gguf.MODEL_ARCH, FAMILIES[config["model_type"]])
    writer = gguf.GGUFWriter(target, gguf.MODEL_ARCH_NAMES[architecture])
    _write_shape(writer, config)
    _write_tokenizer(writer, gguf.TokenType, folder, config, tokenizer, splits)
    writer.add_file_type(PRECISIONS[precision])
    names = gguf.get_tensor_name_map(architecture, config["num_hidden_layers"])
    for name, tensor in _tensors(folder, config):
        told = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if told is None:
            raise DataError(f"GGUF has no name for the weight {name} in this family: export as safetensors alone")
        kind = _type_of(tensor, precision)
        packed = gguf.quants.quantize(tensor, getattr(gguf.GGMLQuantizationType, kind))
        writer.add_tensor(told, packed, raw_dtype=getattr(gguf.GGMLQuantizationType, kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def require_known(config: Mapping[str, Any]) -> None:
    """Refuse what the file would not say, or llama.cpp would read otherwise.

    Raises:
        DataError: The family, the scaling of positions, a window or a quantization is not known here.
    """
    family, scaling = config.get("model_type"), _positions(config).get("rope_type", "default")
    known = ", ".join(FAMILIES)
    problem = (
        f"models of the family {family!r} are not written as GGUF here, only dense ones of {known}"
        if family not in FAMILIES
        else f"the scaling of positions {scaling!r} is not written as GGUF here"
        if scaling not in ("default", "llama3")
        else "attention over a window is not written as GGUF here"
        if _has_window(config)
        else "the weights are quantized already"
        if "quantization_config" in config
        else None
    )
    if problem:
        raise DataError(f"{problem}. Export as safetensors, and convert with llama.cpp's own convert_hf_to_gguf.py.")


def _has_window(config: Mapping[str, Any]) -> bool:
    layers = config.get("layer_types") or ()
    used = config.get("use_sliding_window", config.get("sliding_window") is not None)
    return "sliding_attention" in layers or bool(used and config.get("sliding_window") and not layers)


def splits_of(tokenizer: Mapping[str, Any]) -> str:
    """The name that llama.cpp has for the way in which a tokenizer splits a text before it merges bytes.

    Raises:
        DataError: It has none that is known here.
    """
    model, pre = tokenizer["model"], tokenizer.get("pre_tokenizer") or {}
    parts = pre.get("pretokenizers", [pre])
    kinds = [part.get("type") for part in parts]
    patterns = [part["pattern"].get("Regex") for part in parts if part.get("type") == "Split"]
    if model.get("type") == "BPE" and kinds[-1] == "ByteLevel" and not parts[-1].get("add_prefix_space"):
        if kinds == ["ByteLevel"] and (parts[0].get("use_regex", True) or not model["merges"]):
            return "gpt-2"
        if kinds == ["Digits", "ByteLevel"] and parts[0].get("individual_digits"):
            return "smollm"
        if kinds == ["Split", "ByteLevel"] and patterns[0] in SPLITS:
            return SPLITS[patterns[0]]
    raise DataError(
        "the tokenizer splits texts in a way that is not known here, and llama.cpp would read them as other tokens. "
        "Export as safetensors, and convert with llama.cpp's own convert_hf_to_gguf.py."
    )


def _positions(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return config.get("rope_parameters") or config.get("rope_scaling") or {}


def _head_width(config: Mapping[str, Any]) -> int:
    return config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]


def _write_shape(writer: Any, config: Mapping[str, Any]) -> None:
    writer.add_name("model")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config.get("num_key_value_heads") or config["num_attention_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(_positions(config).get("rope_theta") or config.get("rope_theta") or 10_000.0)
    writer.add_vocab_size(config["vocab_size"])
    for add in (writer.add_key_length, writer.add_value_length, writer.add_rope_dimension_count):
        add(_head_width(config))


def _write_tokenizer(
    writer: Any, types: Any, folder: Path, config: Mapping[str, Any], tokenizer: Mapping[str, Any], splits: str
) -> None:
    added = {token["id"]: token for token in tokenizer["added_tokens"]}
    words = {number: word for word, number in tokenizer["model"]["vocab"].items()}
    tokens, kinds = list[str](), list[int]()
    for number in range(config["vocab_size"]):
        special = added.get(number)
        tokens.append(special["content"] if special else words.get(number, f"[PAD{number}]"))
        kind = "CONTROL" if special and special["special"] else "USER_DEFINED" if special else "NORMAL"
        kinds.append(getattr(types, kind if special or number in words else "UNUSED"))
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(splits)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges or [UNUSED_MERGE])
    _write_specials(writer, folder, {token: number for number, token in enumerate(tokens)})


def _write_specials(writer: Any, folder: Path, numbers: Mapping[str, int]) -> None:
    """The tokens that end a turn, and the template, which writes the one that begins a text itself."""
    told = json.loads((folder / "tokenizer_config.json").read_bytes())
    ends = json.loads((folder / "generation_config.json").read_bytes()).get("eos_token_id")
    ends = ends if isinstance(ends, list) else [ends] if ends is not None else [numbers[told["eos_token"]]]
    writer.add_eos_token_id(ends[0])
    if len(ends) > 1:
        writer.add_eot_token_id(ends[1])
    for name, add in (("pad_token", writer.add_pad_token_id), ("bos_token", writer.add_bos_token_id)):
        if told.get(name) in numbers:
            add(numbers[told[name]])
    writer.add_add_bos_token(False)
    writer.add_chat_template((folder / "chat_template.jinja").read_text(encoding="utf-8"))


def _tensors(folder: Path, config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each weight by its name, in the order in which llama.cpp turns positions, and what scales the positions."""
    from safetensors import safe_open

    heads = config["num_attention_heads"]
    turned = {"q_proj": heads, "k_proj": config.get("num_key_value_heads") or heads}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - no mapping
                tensor = weights.get_tensor(name).float().numpy()
                part = name.split(".")[-2]
                if FAMILIES[config["model_type"]] == "LLAMA" and part in turned:
                    tensor = _turned(tensor, turned[part])
                yield name, tensor
    if _positions(config).get("rope_type") == "llama3":
        yield "rope_freqs.weight", _stretched(config)


def _turned(tensor: Any, heads: int) -> Any:
    """The rows of a head by halves instead of by pairs."""
    return (
        tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:]).swapaxes(1, 2).reshape(tensor.shape)
    )


def _stretched(config: Mapping[str, Any]) -> Any:
    """By how much Llama 3 slows down each frequency of its positions (its reference code, `apply_scaling`)."""
    import numpy

    told, width = _positions(config), _head_width(config)
    theta = told.get("rope_theta") or config.get("rope_theta") or 10_000.0
    original, low, high = (
        told["original_max_position_embeddings"],
        told["low_freq_factor"],
        told["high_freq_factor"],
    )
    factors = list[float]()
    for place in range(0, width, 2):
        turns = original / (2 * math.pi * theta ** (place / width))
        share = min(1.0, max(0.0, (turns - low) / (high - low)))
        factors.append(1 / ((1 - share) / told["factor"] + share))
    return numpy.array(factors, dtype=numpy.float32)


def _type_of(tensor: Any, precision: Precision) -> str:
    if tensor.ndim == 1 or precision == "f32":
        return "F32"
    return "F16" if precision == "f16" or tensor.shape[-1] % BLOCK else "Q8_0"
