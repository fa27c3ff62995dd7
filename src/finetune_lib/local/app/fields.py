"""Fields that several resources have: pairs of metadata, and when a file expires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from finetune_lib.local.app.errors import WireError, invalid

MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512
SOONEST_EXPIRY, LATEST_EXPIRY = 3600, 2_592_000


def check_metadata(body: Mapping[str, Any]) -> None:
    """See that the metadata of a request are few and short enough.

    Raises:
        WireError: They are not.
    """
    value: Any = body.get("metadata")
    if value is None or (isinstance(value, dict) and _fit(cast("dict[str, object]", value))):
        return
    wanted = f"at most {MOST_METADATA} pairs of text of up to {LONGEST_KEY} and {LONGEST_VALUE} characters"
    raise invalid("metadata", wanted, body["metadata"])


def _fit(pairs: Mapping[str, object]) -> bool:
    fitting = (isinstance(v, str) and len(k) <= LONGEST_KEY and len(v) <= LONGEST_VALUE for k, v in pairs.items())
    return len(pairs) <= MOST_METADATA and all(fitting)


def expiry_of(policy: object, *, param: str = "expires_after") -> int | None:
    """The seconds after which a file is gone, by `{"anchor": "created_at", "seconds": …}`; None where it stays.

    Raises:
        WireError: It is no such policy, or the time is not within an hour and 30 days.
    """
    if policy is None:
        return None
    told = cast("dict[str, Any]", policy) if isinstance(policy, dict) else {}
    seconds: object = told.get("seconds")
    if told.get("anchor") != "created_at":
        raise invalid(f"{param}.anchor", "'created_at'", told.get("anchor"))
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not SOONEST_EXPIRY <= seconds <= LATEST_EXPIRY:
        raise invalid(f"{param}.seconds", f"a whole number from {SOONEST_EXPIRY} to {LATEST_EXPIRY}", seconds)
    return seconds


def texts(body: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts, as of ids.

    Raises:
        WireError: It is none.
    """
    given = body.get(name)
    listed = cast("list[object]", given) if isinstance(given, list) else [None]
    if not all(isinstance(one, str) and one for one in listed):
        raise invalid(name, "a list of ids", body.get(name))
    return cast("list[str]", listed)


def told(body: Mapping[str, Any]) -> dict[str, Any]:
    """An object without the fields that have no value: the specification has no null for them."""
    return {name: value for name, value in body.items() if value is not None}


def refuse_unknown(body: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse what would otherwise be passed over in silence, as a misspelt name.

    Raises:
        WireError: A name is not known.
    """
    for name in body:
        if name not in known:
            message = f"Unrecognized request argument supplied: {name}"
            raise WireError(400, message, param=name, code="unknown_parameter")
