"""Human experts: the blind page on which they compare two answers, and the votes that come back."""

from finetune_lib.evaluation.review.collecting import collect_votes
from finetune_lib.evaluation.review.items import REASONS, Beside, Choice, Practice
from finetune_lib.evaluation.review.page import PageOptions, write_review
from finetune_lib.evaluation.review.serving import ReviewServer, serve_review
from finetune_lib.evaluation.review.vote import Attention, Consistency, Disputed, DoubleVote, Quote, Vote
from finetune_lib.evaluation.review.votes import Votes

__all__ = [
    "REASONS",
    "Attention",
    "Beside",
    "Choice",
    "Consistency",
    "Disputed",
    "DoubleVote",
    "PageOptions",
    "Practice",
    "Quote",
    "ReviewServer",
    "Vote",
    "Votes",
    "collect_votes",
    "serve_review",
    "write_review",
]
