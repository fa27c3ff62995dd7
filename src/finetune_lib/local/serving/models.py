"""The models in memory: one copy of a base for all the adapters that stand on it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from finetune_lib.local.base_models import LOADING
from finetune_lib.local.serving.batcher import Batcher
from finetune_lib.local.serving.grammar import Words
from finetune_lib.rendering.probing import server_of
from finetune_lib.rendering.renderer import Renderer

ADAPTER = "adapter_config.json"
UNKNOWN_CONTEXT = 4096
SHARE = 0.5  # of the machine's memory, that models may hold


class Base:
    """The weights of a base, the adapters in it, and the thread that asks it."""

    def __init__(self, source: str) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        device, dtype = ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)
        model: Any = AutoModelForCausalLM.from_pretrained(
            source, trust_remote_code=False, use_safetensors=True, dtype=dtype
        )
        self.model = model.to(device).eval()
        self.bytes = sum(weight.numel() * weight.element_size() for weight in model.parameters())
        self._adapters: dict[str, str] = {}
        self._active: str | None = None
        self.batcher = Batcher(self._asked, config=model.config, device=model.device, pad=0)

    def adapter(self, folder: str) -> str:
        """The name of an adapter, which is loaded where it is not yet."""
        if folder not in self._adapters:
            name = f"a{len(self._adapters)}"
            self.batcher.between_steps(lambda: self._load(folder, name))
            self._adapters[folder] = name
        return self._adapters[folder]

    def _load(self, folder: str, name: str) -> None:
        import torch
        from peft import PeftModel

        with torch.inference_mode(mode=False):
            if self._adapters:
                self.model.load_adapter(folder, adapter_name=name, torch_device=str(self.model.device))
            else:
                self.model = PeftModel.from_pretrained(self.model, folder, adapter_name=name).eval()
                self._active = name
            self.model.eval()

    def _asked(self, adapters: Sequence[str | None], **inputs: Any) -> Any:
        """The model's output; rows of one adapter alone are asked with it, as if there were no other."""
        if not self._adapters:
            return self.model(**inputs)
        if len(set(adapters)) > 1:
            return self.model(adapter_names=[name or "__base__" for name in adapters], **inputs)
        (name,) = set(adapters)
        return self._alone(name, lambda model: model(**inputs))

    def between_steps(self, adapter: str | None, task: Callable[[Any], Any]) -> Any:
        """Do something else with the model and one of its adapters while no token is made; its result."""
        return self.batcher.between_steps(lambda: self._alone(adapter, task))

    def _alone(self, name: str | None, task: Callable[[Any], Any]) -> Any:
        if not self._adapters:
            return task(self.model)
        if name is None:
            with self.model.disable_adapter():
                return task(self.model)
        if name != self._active:
            self.model.set_adapter(name, inference_mode=True)
            self._active = name
        return task(self.model)


@dataclass(frozen=True)
class Loaded:
    """A model in memory: its base, its adapter there, and how it is spoken to."""

    base: Base
    adapter: str | None
    tokenizer: Any
    renderer: Renderer

    @cached_property
    def context(self) -> int:
        """Tokens of question and answer at most."""
        return getattr(self.base.model.config, "max_position_embeddings", UNKNOWN_CONTEXT)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """The tokens that end an answer: the model's own, and the template's mark."""
        own = self.base.model.generation_config.eos_token_id
        return tuple(dict.fromkeys([*self.renderer.end_ids, *([own] if isinstance(own, int) else own or [])]))

    @cached_property
    def width(self) -> int:
        """How many tokens the model chooses among."""
        return self.base.model.get_output_embeddings().weight.shape[0]

    @cached_property
    def words(self) -> Words:
        """Its tokens, as a grammar sees them."""
        return Words(self.tokenizer, width=self.width, end=self.ends[0])


class Models:
    """The models that were asked for, as far as memory goes; the base that was unused for longest makes room."""

    def __init__(self) -> None:
        self._bases: OrderedDict[str, Base] = OrderedDict()
        self._loaded: dict[str, Loaded] = {}
        self._lock = threading.Lock()

    def get(self, source: str) -> Loaded:
        """A model, loaded where it is not yet; safetensors only, no code from the folder.

        Raises:
            OSError: It does not load.
        """
        with self._lock:
            place, adapter = _base_of(source)
            if source not in self._loaded:
                self._loaded[source] = self._load(source, place, adapter)
            if place in self._bases:
                self._bases.move_to_end(place)
            return self._loaded[source]

    def forget(self, sources: Collection[str]) -> None:
        """Let go of models that are deleted; an answer that is being written is finished."""
        with self._lock:
            for source in sources:
                self._loaded.pop(source, None)
                self._drop(source)

    def _load(self, source: str, place: str, adapter: str | None) -> Loaded:
        with LOADING:
            from transformers import AutoTokenizer

            tokenizer: Any = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
            base = self._bases.get(place) or Base(place)
        self._bases[place] = base
        self._make_room(place)
        return Loaded(base, base.adapter(adapter) if adapter else None, tokenizer, server_of(tokenizer))

    def _make_room(self, newest: str) -> None:
        budget = psutil.virtual_memory().total * SHARE
        for place in list(self._bases):
            held = sum(base.bytes for base in self._bases.values())
            if held > budget and place != newest and self._bases[place].batcher.is_idle:
                self._drop(place)

    def _drop(self, place: str) -> None:
        if base := self._bases.pop(place, None):
            base.batcher.stop()
            self._loaded = {name: loaded for name, loaded in self._loaded.items() if loaded.base is not base}


def _base_of(source: str) -> tuple[str, str | None]:
    """Where a model's weights lie, and the adapter on them; one that cannot stand beside others is a base by itself."""
    try:
        told = json.loads((Path(source) / ADAPTER).read_bytes())
    except OSError:
        return source, None
    plain = told.get("peft_type") == "LORA" and not told.get("use_dora") and told.get("bias", "none") == "none"
    if not plain or told.get("modules_to_save") or told.get("trainable_token_indices"):
        return source, None
    return told["base_model_name_or_path"], source
