"""An answerer that knows when to pass: it answers where a promise about its errors holds, and else passes on."""

from __future__ import annotations

from finetune_lib.evaluation.certifying.cascade import Cascade
from finetune_lib.evaluation.certifying.certificate import Certificate, NoCertificateError
from finetune_lib.evaluation.certifying.certified import Certified
from finetune_lib.evaluation.certifying.certifying import certify, certify_async
from finetune_lib.evaluation.certifying.combined import Combined, fit_signal, fit_signal_async
from finetune_lib.evaluation.certifying.signals import Agreement, LogProbability
from finetune_lib.evaluation.certifying.watch import Alarm, Watch

__all__ = [
    "Agreement",
    "Alarm",
    "Cascade",
    "Certificate",
    "Certified",
    "Combined",
    "LogProbability",
    "NoCertificateError",
    "Watch",
    "certify",
    "certify_async",
    "fit_signal",
    "fit_signal_async",
]
