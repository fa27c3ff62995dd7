"""Honest statistics for paired comparisons of 20 to 2,000 items; thin over scipy, statsmodels and evalica, and pure.

The item is the unit: what belongs to one item, as repeats, judges or both orders, is averaged before it comes here.
One rule makes every interval of a difference, whatever the scores, and its name is part of every `Estimate`. Nothing is
imported from numpy or scipy before the first call.
"""

from finetune_lib.statistics.certificates import (
    Threshold,
    cases_to_certify,
    certified_threshold,
    least_to_certify,
)
from finetune_lib.statistics.counts import mcnemar, sign_test, wilson
from finetune_lib.statistics.estimates import Estimate, StudentT, require_statistics
from finetune_lib.statistics.judging import KAPPA_GATE, LengthEffect, calibrated, length_effect, position_bias
from finetune_lib.statistics.labelling import drawn_to_label, labelled_mean, labelling_chances, labelling_width
from finetune_lib.statistics.logistic import Logistic, ridge_logistic
from finetune_lib.statistics.metrics import paired_metric
from finetune_lib.statistics.missing import worst_case
from finetune_lib.statistics.multiplicity import benjamini_hochberg, holm
from finetune_lib.statistics.paired import (
    Tally,
    equivalence,
    mean_score,
    paired_difference,
    tally,
    win_rate,
)
from finetune_lib.statistics.power import (
    SamplingNoise,
    detectable_difference,
    items_needed,
    items_needed_graded,
    sampling_noise,
)
from finetune_lib.statistics.ranking import bradley_terry, ranking
from finetune_lib.statistics.raters import agreement, cohen_kappa, fleiss_kappa, percent_agreement
from finetune_lib.statistics.seeds import SeedsDifference, seeds_difference
from finetune_lib.statistics.watching import audit_evidence, shift_evidence, usual_days

__all__ = [
    "KAPPA_GATE",
    "Estimate",
    "LengthEffect",
    "Logistic",
    "SamplingNoise",
    "SeedsDifference",
    "StudentT",
    "Tally",
    "Threshold",
    "agreement",
    "audit_evidence",
    "benjamini_hochberg",
    "bradley_terry",
    "calibrated",
    "cases_to_certify",
    "certified_threshold",
    "cohen_kappa",
    "detectable_difference",
    "drawn_to_label",
    "equivalence",
    "fleiss_kappa",
    "holm",
    "items_needed",
    "items_needed_graded",
    "labelled_mean",
    "labelling_chances",
    "labelling_width",
    "least_to_certify",
    "length_effect",
    "mcnemar",
    "mean_score",
    "paired_difference",
    "paired_metric",
    "percent_agreement",
    "position_bias",
    "ranking",
    "require_statistics",
    "ridge_logistic",
    "sampling_noise",
    "seeds_difference",
    "shift_evidence",
    "sign_test",
    "tally",
    "usual_days",
    "wilson",
    "win_rate",
    "worst_case",
]
