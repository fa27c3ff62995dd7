"""Write a model of the local platform as a folder that other servers load."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from finetune_lib.errors import DataError
from finetune_lib.files import home
from finetune_lib.local.base_models import LOADING, ensure_made, find_base
from finetune_lib.local.connection import require_platform
from finetune_lib.local.disk import size_of
from finetune_lib.local.exporting.card import card
from finetune_lib.local.exporting.gguf import PRECISIONS, Precision, write_gguf
from finetune_lib.local.exporting.ollama import modelfile
from finetune_lib.local.objects import Object
from finetune_lib.local.store import Store
from finetune_lib.rendering.probing import server_of

RECORD = "export.json"
ADAPTER = "adapter_config.json"


@dataclass(frozen=True, slots=True)
class Exported:
    """A model that was written.

    Attributes:
        path: The folder.
        model: What was exported.
        files: The names of its files.
        bytes: What they hold.
        notes: What was left out, and why.
    """

    path: Path
    model: str
    files: tuple[str, ...]
    bytes: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model lies, what it was trained from, and by which job."""

    folder: str
    base: str
    job: Object | None


def export(
    model: str,
    path: str | PathLike[str],
    *,
    merge: bool = True,
    gguf: Precision | None = None,
    root: str | PathLike[str] | None = None,
) -> Exported:
    """Write a model as a folder that transformers, vLLM, Ollama and llama.cpp load.

    The folder has the weights as safetensors, the tokenizer, the chat template that was trained, the generation config
    with the tokens that end a turn, a model card, and a Modelfile for Ollama with template and stop words.
    `verify_export` proves that it answers as the platform does.

    Args:
        model: A model of the platform, as `ft:tiny:local::abc`, or a base.
        path: The folder to write; it may not be there yet.
        merge: Put an adapter into its base. False writes the adapter alone, which needs its base beside it.
        gguf: Also write `model-<precision>.gguf` (`f32`, `f16` or `q8_0`), for dense models of the Llama, Mistral and
            Qwen 2 and 3 families; needs the extra `gguf`.
        root: The folder of the platform; by default `FINETUNE_LIB_HOME`, else `~/.finetune_lib`.

    Raises:
        FileExistsError: The folder is there.
        DataError: There is no such model, or GGUF cannot say it.
        MissingExtraError: Without the extra `local`, or `gguf` where it is asked for.
        ValueError: The precision is not known, or an adapter alone shall be GGUF.
    """
    require_platform()
    target = Path(path).absolute()
    if target.exists():
        raise FileExistsError(f"{target} exists and is left as it is: choose another folder, or remove it")
    if gguf is not None and gguf not in PRECISIONS:
        raise ValueError(f"gguf is one of {', '.join(PRECISIONS)}, not {gguf!r}")
    if gguf and not merge:
        raise ValueError("an adapter alone is not written as GGUF: leave merge=True")
    source = source_of(model, Path(root or home()).absolute())
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        notes = _write(source, model, partial, merge=merge, gguf=gguf)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    files = tuple(sorted(file.name for file in target.iterdir()))
    return Exported(target, model, files, size_of(target), tuple(notes))


def source_of(model: str, root: Path) -> Source:
    """Where a model lies.

    Raises:
        DataError: There is none of this name.
    """
    if (root / "platform.db").is_file():
        store = Store(root)
        try:
            if known := store.get("model", model):
                name = model.partition(":ckpt-step-")[0]
                jobs = store.page("job", where={"$.fine_tuned_model": name})[0]
                return Source(known["path"], jobs[0]["model"] if jobs else model, jobs[0] if jobs else None)
        finally:
            store.close()
    base = find_base(str(Path(model).resolve()) if Path(model).is_dir() else model, root)
    if base is None:
        raise DataError(f"no model {model!r} is here, in {root}; `platform.client.models.list()` names those that are")
    return Source(ensure_made(base.source), base.name, None)


def _write(source: Source, model: str, folder: Path, *, merge: bool, gguf: Precision | None) -> list[str]:
    with LOADING:
        from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(source.folder, trust_remote_code=False)
    is_adapter = (Path(source.folder) / ADAPTER).is_file() and not merge
    renderer = server_of(tokenizer)
    folder.mkdir(parents=True)
    if is_adapter:
        for name in (ADAPTER, "adapter_model.safetensors"):
            shutil.copyfile(Path(source.folder) / name, folder / name)
    else:
        _save_whole(source.folder, folder, renderer.end_ids)
    tokenizer.save_pretrained(str(folder))
    (folder / "README.md").write_text(card(model, source.base, source.job, is_adapter=is_adapter), encoding="utf-8")
    (folder / RECORD).write_text(json.dumps({"model": model}, ensure_ascii=False), encoding="utf-8")
    if gguf:
        write_gguf(folder, folder / f"model-{gguf}.gguf", precision=gguf)
    if is_adapter:
        return ["an adapter alone has no Modelfile"]
    try:
        text = modelfile(renderer, f"./model-{gguf}.gguf" if gguf else ".")
    except DataError as error:
        return [f"no Modelfile: {error}"]
    (folder / "Modelfile").write_text(text, encoding="utf-8")
    return []


def _save_whole(source: str, folder: Path, ends: list[int]) -> None:
    """The weights as they are; those of an adapter put into its base in float32, and kept in the base's precision."""
    import torch
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoConfig, AutoModelForCausalLM

    options: dict[str, Any] = {"trust_remote_code": False, "use_safetensors": True}
    model: Any
    if (Path(source) / ADAPTER).is_file():
        base = json.loads((Path(source) / ADAPTER).read_bytes())["base_model_name_or_path"]
        precision = AutoConfig.from_pretrained(base, trust_remote_code=False).dtype or torch.float32
        adapted: Any = AutoPeftModelForCausalLM.from_pretrained(source, dtype=torch.float32, **options)
        model = adapted.merge_and_unload().to(precision)
    else:
        model = AutoModelForCausalLM.from_pretrained(source, dtype="auto", **options)
    own = model.generation_config.eos_token_id
    known = [*([own] if isinstance(own, int) else own or []), *ends]
    model.generation_config.eos_token_id = list(dict.fromkeys(known)) or None
    model.save_pretrained(str(folder))
