"""Whether a model may go to a platform: decided before anything of the user's leaves this machine."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from finetune_lib import catalog
from finetune_lib.errors import PlatformError
from finetune_lib.platforms.wire import Call, objects_in, wired

if TYPE_CHECKING:
    from finetune_lib.platforms.platform import Platform
    from finetune_lib.platforms.wire import Wire

MOST_NAMED = 5
LOOK_SECONDS = 10.0
# Folders, and names of a hub as `Qwen/Qwen3-0.6B`: names of hosted services carry no slash.
_OF_A_HUB = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_PATH = re.compile(r"[/\\]")


def named(platform: Platform, model: str) -> str:
    """The name of a model on a platform, as far as it is clear without asking anybody.

    An official host of OpenAI or Azure takes no folder, no name of a hub, and not the built-in `tiny`.

    Raises:
        ValueError: The platform does not take it; nothing was sent.
        PolicyError: The policy forbids it.
    """
    platform.policy.admit_model(model)
    if platform.kind.takes == "hosted":
        _require_hosted(platform, model)
    name = platform.model_id(model)
    if platform.kind.takes == "any" and _OF_A_HUB.fullmatch(name):
        platform.policy.admit_hub(name)
    return name


async def admitted(platform: Platform, model: str, *, wire: Wire | None = None) -> str:
    """The name of a model on a platform, which takes it.

    As `named`; and the local platform takes none of the catalogue's hosted models, unless it lists it as an alias; of
    another service its own list of models decides, and where it has none, any name passes.

    Raises:
        ValueError: The platform does not take it; nothing was sent but the question for the list of models.
        PolicyError: The policy forbids it.
    """
    name, takes = named(platform, model), platform.kind.takes
    facts = catalog.find(model)
    own = takes == "hosted" or (takes == "any" and (facts is None or facts.platform == "local"))
    if own or model in _listed_models.get(platform, ()):
        return name
    names = await _names(platform, wire)  # a list that was read before may lack a model that was trained since
    _listed_models[platform] = names
    if model in names or (takes == "list" and not names):
        return name
    raise ValueError(_foreign(platform, model) if takes == "any" else _unlisted(platform, model, names))


_listed_models: dict[Platform, frozenset[str]] = {}


def _require_hosted(platform: Platform, model: str) -> None:
    facts = catalog.find(model)
    built_in = facts is not None and facts.platform == "local"
    if built_in or _PATH.search(model) or (Path(model) / "config.json").is_file():
        title = platform.kind.title
        raise ValueError(
            f"{model!r} is no model of {title}'s: it runs on this machine. {_why(platform)}Nothing was sent. "
            f'Pass platform=ft.connect("local"), or name one of {title}\'s models.'
        )


def _foreign(platform: Platform, model: str) -> str:
    key = "there is no key for it. Set OPENAI_API_KEY" if platform.chosen else "it needs another platform"
    return (
        f"{model} is a model of OpenAI's, and {key}: the local platform has no such. {_why(platform)}"
        'Nothing was sent. A model of this machine is "tiny", a folder, or one of a hub.'
    )


def _unlisted(platform: Platform, model: str, names: frozenset[str]) -> str:
    shown = ", ".join(sorted(names)[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
    return f"{platform.name} lists no model {model!r}; it has {shown}. {_why(platform)}Nothing was sent."


def _why(platform: Platform) -> str:
    chosen = platform.chosen or "it was named"
    return f"The platform is {platform.name}, because {chosen}. "


async def _names(platform: Platform, wire: Wire | None) -> frozenset[str]:
    """The models that a service lists; none where it has no list."""
    try:
        async with nullcontext(wire) if wire else wired(platform) as open_wire:
            answer = await open_wire.send(Call("list the models", "GET", "/models"), seconds=LOOK_SECONDS)
    except PlatformError:
        return frozenset()
    return frozenset(str(one["id"]) for one in objects_in(answer) if one.get("id"))
