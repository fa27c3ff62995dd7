"""`compare` and `review`: reports of evaluations, and the page for experts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter, validators

from finetune_lib.cli.choices import Language
from finetune_lib.cli.codes import CLEAN, ERRORS

if TYPE_CHECKING:
    from finetune_lib.evaluation.review import ReviewServer

_Name = Annotated[str | None, Parameter(metavar="CANDIDATE")]
_ONE_FORM = Group(validator=validators.MutuallyExclusive())


def compare(
    report: Path,
    /,
    *,
    better: _Name = None,
    not_worse: _Name = None,
    baseline: _Name = None,
    scorer: str | None = None,
    margin: float = 0.0,
    markdown: Annotated[bool, Parameter(group=_ONE_FORM)] = False,
    html: Annotated[Path | None, Parameter(group=_ONE_FORM, metavar="FILE")] = None,
    json: Annotated[bool, Parameter(group=_ONE_FORM)] = False,
    lang: Language | None = None,
) -> int:
    """Show the report of an evaluation, and test a claim on it.

    Args:
        report: a report.json of report.save_json(...)
        better: exit 1 unless it is shown to be better
        not_worse: exit 1 unless it is at most --margin worse
        baseline: than which (default: the first candidate)
        scorer: by which measure (default: the first)
        margin: by more than this, or worse by this at most
        markdown: print Markdown, for a pull request
        html: write the report as one HTML file
        json: print one JSON object: means, verdicts, claims
        lang: language of the report
    """
    from finetune_lib.evaluation.report import Report

    found = Report.load(report)
    if html:
        print(found.save_html(html, lang=lang))
    elif markdown:
        print(found.to_markdown(lang=lang))
    elif not json:
        print(found.text(lang=lang))
    against = baseline or found.candidates[0]
    claims = [
        *([found.better(better, baseline=against, scorer=scorer, margin=margin)] if better else []),
        *([found.not_worse(not_worse, baseline=against, scorer=scorer, margin=margin)] if not_worse else []),
    ]
    if json:
        from finetune_lib.cli.evaluating import summary
        from finetune_lib.cli.where import print_json

        print_json({**summary(found, against), "claims": [{"holds": bool(one), "text": str(one)} for one in claims]})
    for claim in () if json else claims:
        print(claim, file=sys.stderr if markdown else sys.stdout)
    return CLEAN if all(claims) else ERRORS


def review(
    page: Path,
    /,
    *,
    serve: bool,  # noqa: ARG001 - it must be given: a page that is not served is opened from disk
    database: Path | None = None,
    port: int = 0,
    open: bool = False,
) -> int:
    """Serve a page for experts, and keep their votes.

    Args:
        page: a review.html of report.review_page(...)
        serve: serve it to this machine, keep the votes
        database: where the votes go (default: beside the page, .votes.db)
        port: 0 takes a free one (default)
        open: open it in the browser
    """
    from finetune_lib.evaluation.review import serve_review

    def started(server: ReviewServer) -> None:
        print(f"{server.url}\nvotes are kept in {server.database}; stop with Ctrl-C", flush=True)
        if open:
            import webbrowser

            webbrowser.open(server.url)

    serve_review(page, database=database, port=port, on_start=started)
    return CLEAN
