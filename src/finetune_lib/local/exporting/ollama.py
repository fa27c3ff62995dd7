"""An Ollama Modelfile: the chat template in the words of Go, and what ends a turn.

Ollama does not run a model's own template. Its six stretches of text are found here from how the template writes
conversations of known words, and held against it on others: what is not the same is not written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from finetune_lib.errors import DataError
from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.renderer import Renderer

# Words that no template has.
RULE, FIRST, ANSWER, SECOND = "Ss3Jw", "Uu4Kx", "Aa5Ly", "Vv6Mz"
Chat = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Stretches:
    """What a template writes around the words of people.

    Attributes:
        before: Where no system message begins the conversation.
        system: Before a system message.
        ruled: Behind it.
        user: Before a question.
        answer: Between a question and its answer that was given.
        answered: Behind an answer.
        prompt: Between the last question and the answer that is asked for.
    """

    before: str
    system: str
    ruled: str
    user: str
    answer: str
    answered: str
    prompt: str

    def written(self, chat: Chat) -> str:
        """A conversation, as Ollama will write it."""
        text = "" if chat[0]["role"] == "system" else self.before
        for place, message in enumerate(chat):
            words, last = message["content"], place == len(chat) - 1
            text += {
                "system": self.system + words + self.ruled,
                "user": self.user + words + (self.prompt if last else self.answer),
                "assistant": words + self.answered,
            }[message["role"]]
        return text

    def in_go(self) -> str:
        """The template in Go's words; each stretch is a literal, so that nothing of it is read as a command."""
        before, system, ruled, user, answer, answered, prompt = map(
            _literal,
            (self.before, self.system, self.ruled, self.user, self.answer, self.answered, self.prompt),
        )
        return (
            f'{{{{- if ne (index .Messages 0).Role "system" }}}}{before}{{{{- end }}}}'
            "{{- range $i, $_ := .Messages }}{{- $last := eq (len (slice $.Messages $i)) 1 }}"
            f'{{{{- if eq .Role "system" }}}}{system}{{{{ .Content }}}}{ruled}'
            f'{{{{- else if eq .Role "user" }}}}{user}{{{{ .Content }}}}'
            f"{{{{- if $last }}}}{prompt}{{{{- else }}}}{answer}{{{{- end }}}}"
            f'{{{{- else if eq .Role "assistant" }}}}{{{{ .Content }}}}{answered}{{{{- end }}}}{{{{- end }}}}'
        )


def modelfile(renderer: Renderer, source: str) -> str:
    """The Modelfile of an export.

    Args:
        renderer: Of the model.
        source: What Ollama shall read, as `./model-f16.gguf`.

    Raises:
        DataError: The template writes conversations otherwise than in six stretches.
    """
    stretches = stretches_of(renderer)
    stops = "".join(f"PARAMETER stop {json.dumps(end, ensure_ascii=False)}\n" for end in renderer.ends if end.strip())
    return f'FROM {source}\nTEMPLATE """{stretches.in_go()}"""\n{stops}'


def stretches_of(renderer: Renderer) -> Stretches:
    """The stretches of a model's template.

    Raises:
        DataError: They do not write what the template writes.
    """
    question, answer = {"role": "user", "content": FIRST}, {"role": "assistant", "content": ANSWER}
    rule, again = {"role": "system", "content": RULE}, {"role": "user", "content": SECOND}
    try:
        before_question, prompt = _parts(renderer, [question], FIRST)
        system, ruled, between, behind, _ = _parts(
            renderer, [rule, question, answer, again], RULE, FIRST, ANSWER, SECOND
        )
        user = _common_end(before_question, ruled, behind)
        found = Stretches(
            before=before_question.removesuffix(user),
            system=system,
            ruled=ruled.removesuffix(user),
            user=user,
            answer=between,
            answered=behind.removesuffix(user),
            prompt=prompt,
        )
        others = ([again], [rule, again], [question, answer, again], [rule, again, answer, question, answer, again])
        if all(found.written(chat) == renderer.prompt(chat) for chat in others):
            return found
    except (RenderingError, ValueError):
        pass
    raise DataError("the chat template cannot be written as one of Ollama's: a Modelfile would send other prompts")


def _parts(renderer: Renderer, chat: Chat, *words: str) -> list[str]:
    """The prompt of a conversation, cut at its words."""
    text, found = renderer.prompt(chat), list[str]()
    for word in words:
        before, seen, text = text.partition(word)
        if not seen:
            raise ValueError(f"{word} is not said")
        found.append(before)
    return [*found, text]


def _common_end(*texts: str) -> str:
    letters = zip(*(text[::-1] for text in texts), strict=False)
    return "".join(one[0] for one in takewhile(lambda one: len(set(one)) == 1, letters))[::-1]


def _literal(text: str) -> str:
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if text else ""
