"""`compare` and `review`: reports of evaluations, and the page for experts."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from pathlib import Path

from finetune_lib.cli.codes import CLEAN, ERRORS


def add_compare(parser: argparse.ArgumentParser) -> None:
    """The arguments of `compare`."""
    parser.add_argument("report", type=Path, help="a report.json of report.save_json(...)")
    parser.add_argument("--better", metavar="CANDIDATE", help="exit 1 unless it is shown to be better")
    parser.add_argument("--not-worse", metavar="CANDIDATE", help="exit 1 unless it is at most --margin worse")
    parser.add_argument("--baseline", metavar="CANDIDATE", help="than which (default: the first candidate)")
    parser.add_argument("--scorer", help="by which measure (default: the first)")
    parser.add_argument("--margin", type=float, default=0.0, help="by more than this, or worse by this at most")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--markdown", action="store_true", help="print Markdown, for a pull request")
    forms.add_argument("--html", type=Path, metavar="FILE", help="write the report as one HTML file")
    parser.add_argument("--lang", choices=["en", "zh-Hant", "zh-Hans"], help="language of the report")
    parser.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    from finetune_lib.evaluation.report import Report

    report = Report.load(options.report)
    if options.html:
        print(report.save_html(options.html, lang=options.lang))
    elif options.markdown:
        print(report.to_markdown(lang=options.lang))
    else:
        print(report.text(lang=options.lang))
    names = {"baseline": options.baseline or report.candidates[0], "scorer": options.scorer}
    claims = [
        *([report.better(options.better, margin=options.margin, **names)] if options.better else []),
        *([report.not_worse(options.not_worse, margin=options.margin, **names)] if options.not_worse else []),
    ]
    for claim in claims:
        print(claim, file=sys.stderr if options.markdown else sys.stdout)
    return CLEAN if all(claims) else ERRORS


def add_review(parser: argparse.ArgumentParser) -> None:
    """The arguments of `review`."""
    parser.add_argument("page", type=Path, help="a review.html of report.review_page(...)")
    parser.add_argument("--serve", action="store_true", required=True, help="serve it to this machine, keep the votes")
    parser.add_argument("--database", type=Path, help="where the votes go (default: beside the page, .votes.db)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    parser.set_defaults(run=_review)


def _review(options: argparse.Namespace) -> int:
    from finetune_lib.evaluation.review import ReviewServer, serve_review

    def started(server: ReviewServer) -> None:
        print(f"{server.url}\nvotes are kept in {server.database}; stop with Ctrl-C", flush=True)
        if options.open:
            webbrowser.open(server.url)

    serve_review(options.page, database=options.database, port=options.port, on_start=started)
    return CLEAN
