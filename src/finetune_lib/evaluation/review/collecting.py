"""From the files that experts send back to votes that say who was preferred."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

from finetune_lib.errors import DataError
from finetune_lib.evaluation.review.items import BROKEN, SOUND
from finetune_lib.evaluation.review.keys import Key, key_folder, load_key
from finetune_lib.evaluation.review.states import Source, State, read_states
from finetune_lib.evaluation.review.vote import Attention, DoubleVote, Vote, pair_of
from finetune_lib.evaluation.review.votes import Votes

TRAP = pair_of(SOUND, BROKEN)
Entry = tuple[State, Mapping[str, Any]]
Place = tuple[str, str, int]  # rater, item, showing


def collect_votes(files: Source | Iterable[Source], *, key: str | PathLike[str] | None = None) -> Votes:
    """Merge what experts sent back, and tell which candidate each of them preferred.

    Where one person voted on one item in two files, the newest revision counts; `doubled` of the result says so.

    Args:
        files: The saved files, text that was pasted into an e-mail, or the database of a served page.
        key: The key of the page; by default it is looked for where `write_review` put it.

    Raises:
        DataError: A file is none of this page, they belong to different pages, or the key is not there; every
            problem at once.

    Example:
        >>> import json
        >>> from finetune_lib.evaluation.review import Beside, collect_votes, write_review
        >>> items = [Beside("7", "How long?", {"tuned": "Seven days.", "base": "It depends."})]
        >>> page = write_review("review.html", items).read_text()
        >>> data = json.loads(page.split('id="data">')[1].split("</script>")[0])  # what the page knows
        >>> slot = [answer["text"] for answer in data["items"][0]["answers"]].index("Seven days.")
        >>> vote = {"item": data["items"][0]["id"], "showing": 1, "left": slot, "choice": "left_much"}
        >>> sent = {"format": "side-by-side votes", "schema": 1, "set": data["set"], "rater": "Lin", "revision": 1}
        >>> collect_votes([{**sent, "votes": [vote]}]).preferences("tuned", "base")
        {'7': {'Lin': 1.0}}
    """
    states, problems = read_states(files)
    if not states and not problems:
        problems = ["no file was given"]
    problems += _mixed(states)
    found = None if problems else _key(states[0].data["set"], key, problems)
    if found:
        problems += [
            f"{state.name}: there is no item {vote['item']!r} on this page"
            for state in states
            for vote in state.data["votes"]
            if vote["item"] not in found.items
        ]
    if problems or not found:
        raise DataError("these votes cannot be collected:\n  " + "\n  ".join(problems))
    return _merged(states, found)


def _mixed(states: Sequence[State]) -> list[str]:
    """Whether the files belong to different pages."""
    sets: defaultdict[str, list[str]] = defaultdict(list)
    for state in states:
        if isinstance(name := state.data.get("set"), str):
            sets[name].append(state.name)
    if len(sets) < 2:
        return []
    listed = "; ".join(f"{name[:6]}: {', '.join(given)}" for name, given in sets.items())
    return [f"they belong to {len(sets)} different pages, collect each by itself ({listed})"]


def _key(name: str, given: str | PathLike[str] | None, problems: list[str]) -> Key | None:
    path = Path(given) if given else key_folder() / f"{name}.json"
    try:
        key = load_key(path)
    except DataError as error:
        problems.append(str(error))
        return None
    except OSError:
        problems.append(f"the key of page {name[:6]} is not at {path}: it lies where the page was written, pass key=…")
        return None
    if key.set != name:
        problems.append(f"{path} is the key of page {key.set[:6]}, the votes are on page {name[:6]}")
    return key


def _merged(states: Sequence[State], key: Key) -> Votes:
    entries: defaultdict[Place, list[Entry]] = defaultdict(list)
    for state in states:
        for vote in state.data["votes"]:
            entries[_rater(state), vote["item"], vote["showing"]].append((state, vote))
    newest = {place: max(found, key=_age) for place, found in entries.items()}
    given = [_vote(place, entry, key) for place, (_, entry) in newest.items() if entry["choice"]]
    votes = [vote for vote in given if vote.key[1] != TRAP]
    shown = [item for item in key.items.values() if pair_of(*item.slots) != TRAP]
    doubled = [_double(place, found, key) for place, found in entries.items() if len(found) > 1]
    raters = tuple(dict.fromkeys(map(_rater, states)))
    return Votes(key.set, raters, tuple(votes), tuple(shown), key.identical, tuple(doubled), _attention(given))


def _attention(votes: Sequence[Vote]) -> Mapping[str, Attention]:
    """Who looked, on the items with a broken answer."""
    passed: defaultdict[str, list[bool]] = defaultdict(list)
    for vote in votes:
        if vote.key[1] == TRAP:
            passed[vote.rater].append((vote.value(SOUND) or 0) > 0)
    return {rater: Attention(len(found), sum(found)) for rater, found in passed.items()}


def _rater(state: State) -> str:
    return " ".join(state.data["rater"].split())


def _age(entry: Entry) -> tuple[datetime, datetime, int]:
    """When it was last changed: the choice first, then the words beside it."""
    state, vote = entry
    return _time(vote.get("at")), _time(state.data.get("saved")), state.data["revision"]


def _time(text: str | None) -> datetime:
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _vote(place: Place, entry: Mapping[str, Any], key: Key) -> Vote:
    rater, item, showing = place
    known, left = key.items[item], int(entry["left"])
    return Vote(
        rater=rater,
        case_id=known.case_id,
        left=known.slots[left],
        right=known.slots[1 - left],
        choice=entry["choice"],
        repeat=showing == 2,
        category=known.category,
        reasons=tuple(entry.get("reasons", ())),
        comment=entry.get("comment", ""),
        rubric=entry.get("rubric", {}),
        seconds=entry.get("seconds", 0.0),
        position=entry.get("position"),
        history=tuple(step["choice"] for step in entry.get("history", ())),
    )


def _double(place: Place, given: Sequence[Entry], key: Key) -> DoubleVote:
    rater, item, showing = place
    choices = {vote["choice"] for _, vote in given}
    return DoubleVote(rater, key.items[item].case_id, showing == 2, tuple(s.name for s, _ in given), len(choices) > 1)
