"""The page on loopback: who may ask, what is kept, what survives."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from finetune_lib.errors import DataError
from finetune_lib.evaluation.review import Beside, ReviewServer, collect_votes, serve_review, write_review

ITEMS = [Beside(str(n), f"q{n}", {"tuned": f"a{n}", "base": f"b{n}"}) for n in range(3)]


@pytest.fixture
def server(tmp_path) -> Iterator[ReviewServer]:
    page = write_review(tmp_path / "review.html", ITEMS)
    with ReviewServer(page, database=tmp_path / "votes.db") as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def ask(url: str, data=None, **headers):
    body = data if isinstance(data, bytes) or data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - http on loopback
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def votes_of(server: ReviewServer) -> str:
    return server.url.replace("/?", "/votes?")


def state(server: ReviewServer, *, revision: int = 1, rater: str = "A", **more):
    item = json.loads(server.page.split('id="data">')[1].split("</script>")[0])["items"][0]["id"]
    vote = {"item": item, "showing": 1, "left": 0, "choice": "left", "comment": f"r{revision}"}
    given = {"format": "side-by-side votes", "schema": 1, "set": server.set_hash, "rater": rater, "revision": revision}
    return {**given, "votes": [vote], **more}


def test_only_who_has_the_token_is_answered(server):
    status, page = ask(server.url)
    assert status == 200
    assert "connect-src 'self'" in page
    for url in (server.url.replace("token=", "token=x"), server.url.split("?")[0], votes_of(server)[:-1]):
        assert ask(url)[0] == 403
        assert ask(url, state(server))[0] == 403
    assert ask(server.url, Host="evil.example")[0] == 403
    assert ask(server.url.replace("/?", "/etc/passwd?"))[0] == 404
    assert server.server_address[0] == "127.0.0.1"


def test_votes_are_kept_and_an_older_revision_replaces_nothing(server):
    url = votes_of(server)
    assert ask(url + "&rater=A") == (200, "null")
    for revision in (1, 3, 2):
        assert ask(url, state(server, revision=revision))[0] == 200
    assert json.loads(ask(url + "&rater=A")[1])["revision"] == 3
    assert [vote.comment for vote in collect_votes(server.database).votes] == ["r3"]


def test_what_is_no_vote_on_this_page_is_refused(server):
    url = votes_of(server)
    for wrong in (
        b"{",
        [],
        state(server, set="0" * 24),
        state(server, votes=[{"choice": "x"}]),
        state(server, rater=""),
    ):
        status, answer = ask(url, wrong)
        assert status == 400
        assert json.loads(answer)["error"]
    assert collect_votes_or_none(server) is None
    assert ask(url, b"x", **{"Content-Length": str(1 << 30)})[0] == 413


def collect_votes_or_none(server):
    try:
        return collect_votes(server.database)
    except DataError:
        return None


def test_many_raters_vote_at_once(server):
    url = votes_of(server)
    threads = [threading.Thread(target=ask, args=[url, state(server, rater=f"R{n}")]) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(collect_votes(server.database).raters) == 12


def test_it_serves_until_it_is_stopped_and_says_where(tmp_path, capsys):
    page = write_review(tmp_path / "review.html", ITEMS)

    def stop(server):
        assert server.token == "secret"
        threading.Thread(target=lambda: (ask(server.url), server.shutdown()), daemon=True).start()

    assert serve_review(page, token="secret", on_start=stop) == tmp_path / "review.votes.db"
    assert (tmp_path / "review.votes.db").exists()


def test_other_files_are_refused(tmp_path):
    (tmp_path / "x.html").write_text("<html>")
    with pytest.raises(DataError, match="no review page"):
        serve_review(tmp_path / "x.html")
    page = write_review(tmp_path / "review.html", ITEMS)
    (tmp_path / "x.db").write_text("no database" * 100)
    with pytest.raises(DataError, match="cannot keep votes"):
        serve_review(page, database=tmp_path / "x.db")
