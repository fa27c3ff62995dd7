"""Asks one model questions in a process of its own: `python -m finetune_lib.local.exporting.ask`, JSON in and out.

The greedy answer to each, and the log-probability of each of its tokens.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from finetune_lib.extras import require

Told = dict[str, Any]


def main() -> None:
    """Answer what standard input asks; the first line of standard output is kept free of what libraries print."""
    asked = json.load(sys.stdin)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    opened = _llama if asked["path"].endswith(".gguf") else _transformers
    answer = opened(asked["path"], asked["max_tokens"])
    json.dump([answer(question) for question in asked["questions"]], out, ensure_ascii=False)
    out.flush()
    os._exit(0)  # llama.cpp's server has threads that nobody joins


def _transformers(path: str, max_tokens: int) -> Callable[[Mapping[str, Any]], Told]:
    from finetune_lib.local.inference import Question, Sampling
    from finetune_lib.local.serving.engine import Engine

    engine, sampling = Engine(), Sampling(temperature=0.0, max_tokens=max_tokens, logprobs=0)

    def answer(question: Mapping[str, Any]) -> Told:
        asked = Question(question["messages"], question["tools"])
        said = engine.complete(path, asked, sampling)
        chances = [one["logprob"] for one in said.logprobs or ()]
        prompt = engine.prompt(path, asked)
        return {"text": said.text, "prompt": prompt, "tokens": said.tokens, "logprobs": chances}

    return answer


def _llama(path: str, max_tokens: int) -> Callable[[Mapping[str, Any]], Told]:
    """llama.cpp itself: the text with the template in the file, the tokens for the prompt that the platform sends."""
    llama = require("xllamacpp", extra="gguf", feature="Asking a GGUF file")
    params = llama.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel, params.warmup = path, 0, 1, False
    params.api_keys = [os.urandom(16).hex()]  # it opens a port on loopback, which is nobody's to use
    params.use_jinja = True
    server = llama.Server(params)

    def answer(question: Mapping[str, Any]) -> Told:
        body = {"messages": question["messages"], "max_tokens": max_tokens, "temperature": 0}
        said: Any = server.handle_chat_completions(body | ({"tools": question["tools"]} if question["tools"] else {}))
        text = said["choices"][0]["message"].get("content") or ""
        body = {"prompt": question["prompt"], "n_predict": max_tokens, "temperature": 0, "n_probs": 1}
        told: Any = server.handle_completions(body)["choices"][0]["logprobs"]["content"]
        return {"text": text, "tokens": [one["id"] for one in told], "logprobs": [one["logprob"] for one in told]}

    return answer


if __name__ == "__main__":
    main()
