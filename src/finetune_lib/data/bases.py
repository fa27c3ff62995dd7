"""A base that is at hand: its tokenizer and how much it reads of one example; its weights are not loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from finetune_lib import catalog
from finetune_lib.errors import DataError
from finetune_lib.extras import require
from finetune_lib.platforms.policy import policy
from finetune_lib.rendering.examples import limit_of
from finetune_lib.rendering.probing import Needs, renderer_of
from finetune_lib.rendering.renderer import Renderer
from finetune_lib.rendering.tiny import TINY, tiny_tokenizer

ADAPTER = "adapter_config.json"
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")


@dataclass(frozen=True, slots=True)
class Base:
    """What a base says of conversations.

    Attributes:
        name: As it was asked for.
        tokenizer: Its own.
        limit: Tokens that it reads of one example.
    """

    name: str
    tokenizer: Any
    limit: int

    def renderer(self, rows: Iterable[Mapping[str, Any]], *, chat_template: str | None = None) -> Renderer:
        """The renderer that trains these rows.

        Raises:
            RenderingError: The base has no chat template that does.
        """
        return renderer_of(self.tokenizer, Needs.of(rows), chat_template=chat_template)


def is_hosted(model: str) -> bool:
    """Whether a model is one of a service, whose template is not public."""
    facts = catalog.find(model)
    return model.startswith("ft:") or (facts is not None and facts.platform != "local")


def at_hand(model: str | None) -> Base | None:
    """The base of this name where it lies on this machine, as a folder or in the hub's cache; else None.

    What `tiny` can say, the checks know without its tokenizer, which would take a second to import.
    """
    if not model or model == TINY or is_hosted(model) or find_spec("transformers") is None:
        return None
    return read_base(model) if _is_folder(model) or _is_cached(model) else None


def _is_folder(model: str) -> bool:
    return any((Path(model) / name).is_file() for name in ("config.json", ADAPTER))


def _is_cached(model: str) -> bool:
    if not HUB_ID.fullmatch(model):
        return False
    hub = require("huggingface_hub", extra="local", feature="The cache of the hub")
    return all(
        isinstance(hub.try_to_load_from_cache(model, name), str) for name in ("config.json", "tokenizer_config.json")
    )


def read_base(model: str) -> Base:
    """The base of this name: `tiny`, a folder, or one of the hub, of which the tokenizer is fetched.

    Raises:
        MissingExtraError: The extra `local` is not installed.
        PolicyError: It would have to be fetched, which the policy forbids.
        DataError: There is none, or its tokenizer does not load.
    """
    transformers = require("transformers", extra="local", feature="The tokenizer of an open model")
    if model == TINY:
        return Base(model, tiny_tokenizer(), catalog.models()[TINY].training_limit)
    if not _is_folder(model):
        policy().admit_hub(model)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(model, trust_remote_code=False)
        config = transformers.AutoConfig.from_pretrained(_weights(model), trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"the tokenizer of {model} does not load: {error}. Name tiny, the folder of a model, or one of the hub as "
            "Qwen/Qwen3-0.6B."
        ) from error
    return Base(model, tokenizer, limit_of(config))


def _weights(model: str) -> str:
    """Where the configuration lies: of an adapter, with the base that it was trained on."""
    if not (Path(model) / ADAPTER).is_file():
        return model
    peft = require("peft", extra="local", feature="An adapter")
    return peft.PeftConfig.from_pretrained(model).base_model_name_or_path
