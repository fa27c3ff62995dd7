"""How everything here asks a model: from what is kept, else within the limits of the run, and kept at once."""

from __future__ import annotations

from finetune_lib.platforms.asking.calls import Question, about_the_form
from finetune_lib.platforms.asking.kept import Kept, default_path
from finetune_lib.platforms.asking.purging import Purged, purge
from finetune_lib.platforms.asking.request import Reply, Request, reply_in
from finetune_lib.platforms.asking.session import Session, UnreadableAnswerError, current_session, session, within
from finetune_lib.platforms.asking.spending import NotAskedError, Price, Spent, Ticket, cost, price_of

__all__ = [
    "Kept",
    "NotAskedError",
    "Price",
    "Purged",
    "Question",
    "Reply",
    "Request",
    "Session",
    "Spent",
    "Ticket",
    "UnreadableAnswerError",
    "about_the_form",
    "cost",
    "current_session",
    "default_path",
    "price_of",
    "purge",
    "reply_in",
    "session",
    "within",
]
