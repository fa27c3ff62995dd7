"""What `near` says where it once was a similarity."""

from __future__ import annotations

from finetune_lib.warned import warn


def wanted(near: float | None) -> bool:
    """Whether more than the same is looked for: `near` is a yes or no; a number counts as yes, with a warning.

    Raises:
        ValueError: A number that was no similarity.
    """
    if near is None or isinstance(near, bool):
        return bool(near)
    if not 0 < near <= 1:
        raise ValueError(f"near is True or False; as a similarity it was above 0 and at most 1, not {near!r}")
    told = "the number decides nothing any more: what belongs together does finetune_lib.relation tell"
    warn(f"near={near} counts as near=True; {told}", FutureWarning)
    return True
