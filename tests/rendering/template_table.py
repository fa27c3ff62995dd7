"""Every chat template of the installed trl: whether labels, serving prompt and answers read back are exact.

`python -m tests.rendering.template_table` writes the page of the reference anew.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
from datetime import date
from pathlib import Path

from finetune_lib.rendering.answers import Answer
from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.probing import Needs, renderer_of, server_of
from finetune_lib.rendering.tiny import tiny_tokenizer

PAGE = Path(__file__).parents[2] / "docs/reference/chat-templates.md"
DAY = date(2026, 12, 1)
ARGUMENTS = json.dumps({"city": "台北", "days": 3}, ensure_ascii=False)
WEATHER = {"id": "c1abcdefg", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}
DECLARED = {"city": {"type": "string", "description": "where"}, "days": {"type": "integer", "description": "how many"}}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "the weather",
            "parameters": {"type": "object", "properties": DECLARED},
        },
    }
]


def user(text):
    return {"role": "user", "content": text}


def assistant(text=None, **more):
    return {"role": "assistant", "content": text, **more}


SYSTEM = {"role": "system", "content": "請用中文回答。"}
RESULT = {"role": "tool", "tool_call_id": "c1abcdefg", "content": "晴"}
CASES = {
    "one turn": [user("幾點？"), assistant("八點。")],
    "system": [SYSTEM, user("幾點？"), assistant("八點。")],
    "two turns": [user("幾點？"), assistant("八點。"), user("哪裡？"), assistant("二樓。")],
    "weight 0": [user("幾點？"), assistant("八點。", weight=0), user("哪裡？"), assistant("二樓。")],
    "reasoning": [user("幾點？"), assistant("八點。", reasoning_content="先看時刻表。")],
    "tool call": [user("天氣？"), assistant(tool_calls=[WEATHER])],
    "tool result": [user("天氣？"), assistant(tool_calls=[WEATHER]), RESULT, assistant("晴天。")],
}
ALWAYS = ("one turn", "system", "two turns", "weight 0")


def templates():
    """The templates by name; those of trl that are for training alone are changed copies of these."""
    folder = Path(importlib.util.find_spec("trl").submodule_search_locations[0]) / "chat_templates"
    return {file.stem: file.read_text() for file in sorted(folder.glob("*.jinja")) if "_training" not in file.stem}


def tokenizer_with(template):
    tokenizer = tiny_tokenizer()
    tokenizer.bos_token, tokenizer.chat_template = "<bos>", template
    return tokenizer


def outcome(template, messages):
    """`exact`, with the number of sequences if there are several, or `refused`; anything else is a fault."""
    row = {"messages": messages} | ({"tools": TOOLS} if any(map(calls, messages)) else {})
    try:
        renderer = renderer_of(tokenizer_with(template), Needs.of([row]), day=DAY)
        sequences = renderer.sequences(row)
    except RenderingError:
        return "refused"
    server = server_of(tokenizer_with(renderer.template))
    told = [("".join(piece.text for piece in pieces)) for pieces in sequences]
    learned = [piece.text for pieces in sequences for piece in pieces if piece.learned]
    places = [at for at, said in enumerate(messages) if said["role"] == "assistant" and said.get("weight") != 0]
    if len(learned) != len(places):
        return f"{len(learned)} answers learned of {len(places)}"
    for at, written in zip(places, learned, strict=True):
        prompt = server.prompt(messages[:at], row.get("tools"))
        if not any((prompt + written) in text for text in told):
            return "another prompt is served than was learned"
        if answer_of(server, written, prompt, row.get("tools")) != wanted(messages[at]):
            return "the answer is not read back"
    return "exact" if len(sequences) == 1 else f"exact, {len(sequences)} sequences"


def answer_of(server, written, prompt, tools):
    found = server.read(written, prompt=prompt, tools=tools)
    if found is None:
        found = Answer(written[: min(at for end in server.ends if (at := written.find(end)) >= 0)])
    return found.text, found.reasoning, [said(call) for call in found.tool_calls]


def wanted(message):
    return message["content"] or "", message.get("reasoning_content", ""), [said(call) for call in calls(message)]


def calls(message):
    return message.get("tool_calls") or []


def said(call):
    return call["function"]["name"], json.loads(call["function"]["arguments"])


def table():
    return {name: {case: outcome(text, rows) for case, rows in CASES.items()} for name, text in templates().items()}


def page(found):
    exact = {case: sum(row[case].startswith("exact") for row in found.values()) for case in CASES}
    lines = [
        "# Chat templates",
        "",
        f"Every chat template that trl {importlib.metadata.version('trl')} ships, rendered by this library: exact "
        "where what is learned is the answer and its end mark alone, where a server that reads the saved folder sends "
        "the prompt that was learned, and where the answer is read back as it was meant. What a template cannot say is "
        "refused while the data is validated, with the line and the field. A conversation whose earlier turns a "
        "template rewrites is trained as one sequence for each answer.",
        "",
        "Tried with a tokenizer of bytes: the tokenizers of these models lie on hubs.",
        "",
        "| template | " + " | ".join(CASES) + " |",
        "|---" * (len(CASES) + 1) + "|",
        *(f"| `{name}` | " + " | ".join(row[case] for case in CASES) + " |" for name, row in found.items()),
        f"| exact of {len(found)} | " + " | ".join(str(exact[case]) for case in CASES) + " |",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(table()), encoding="utf-8")
