"""The watch speaks after a shift and is silent through weekends; its file is never taken for another's."""

from __future__ import annotations

import datetime
import json
import multiprocessing
import random

import pytest

import finetune_lib as ft

FIRST = datetime.date(2026, 12, 1)


def promise(**other):
    told = {"error": 0.05, "confidence": 0.95, "of": "answers", "threshold": 0.8, "answered": 180, "wrong": 2}
    rest = {"cases": 240, "level": 0.018, "signal": "agreement", "scorer": "ExactMatch", "right": 1.0}
    return ft.Certificate("clerk", **{**told, **rest, "day": "2026-12-01", **other})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "watch.json"


def fed(watch: ft.Watch, shares, asked=10_000):
    """The colors of the days."""
    days = (FIRST + datetime.timedelta(number) for number in range(len(shares)))
    return [
        watch.day(asked=asked, answered=round(share * asked), on=day).color
        for day, share in zip(days, shares, strict=True)
    ]


def test_the_oracle_of_sixty_days_and_a_shift(path):
    """Sixty usual days, then fewer and fewer answers: computed by another program, the alarm is on day 76."""
    days = [0.60 + 0.01 * (7 * i % 5 - 2) for i in range(60)] + [0.50 - 0.001 * i for i in range(30)]
    colors = fed(ft.Watch(path, promise()), days)
    assert set(colors[:60]) == {"green"}
    assert "amber" in colors[60:64]
    assert colors.index("red") in range(74, 78)
    assert colors[-1] == "red"


def test_weekends_and_noise_are_silent_for_a_year(path):
    drawn = random.Random(3)
    days = [0.6 - 0.08 * (day % 7 > 4) + drawn.gauss(0, 0.01) for day in range(365)]
    colors = fed(ft.Watch(path, promise()), days)
    assert "red" not in colors
    assert colors.count("amber") <= 1


def test_labels_tell_a_broken_promise(path):
    watch = ft.Watch(path, promise(), labels_a_day=10)
    assert watch.label([number % 25 == 24 for number in range(100)]).color == "green"
    alarm = watch.label([number % 5 == 4 for number in range(100)])
    assert str(alarm) == "red: 11% of 175 labelled answers are wrong, more than the promised 5%: certify again"


def test_its_folder_is_made(tmp_path):
    deep = tmp_path / "監看" / "客服.json"
    assert ft.Watch(deep, promise()).day(asked=10, answered=6, on=FIRST).color == "green"
    assert ft.Watch(deep, promise()).days == {"2026-12-01": 0.6}


def test_it_goes_on_from_its_file(path):
    fed(ft.Watch(path, promise()), [0.6, 0.61, 0.59])
    watch = ft.Watch(path, promise())
    assert list(watch.days.values()) == [0.6, 0.61, 0.59]
    assert watch.day(asked=0, answered=0, on=FIRST + datetime.timedelta(9)).reason == "3 days, nothing has moved"
    watch.day(asked=10, answered=5, on=FIRST + datetime.timedelta(2))
    assert list(watch.days.values()) == [0.6, 0.61, 0.5]
    assert "It sees questions" in str(watch)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"asked": 1, "answered": 2}, "2 of 1"),
        ({"asked": 5, "answered": 2, "on": FIRST - datetime.timedelta(1)}, "before a day"),
    ],
)
def test_days_that_cannot_be_are_refused(path, given, said):
    watch = ft.Watch(path, promise())
    watch.day(asked=5, answered=3, on=FIRST)
    with pytest.raises(ValueError, match=said):
        watch.day(**given)


def test_another_certificate_or_file_is_refused(path):
    fed(ft.Watch(path, promise()), [0.6])
    with pytest.raises(ValueError, match="another certificate"):
        ft.Watch(path, promise(threshold=0.9))
    for text in ("{", "[]", json.dumps({"watch": 9})):
        path.write_text(text)
        with pytest.raises(ValueError, match="is no watch"):
            ft.Watch(path, promise())
    with pytest.raises(ValueError, match="labels_a_day"):
        ft.Watch(path, promise(), labels_a_day=0)


def test_two_objects_on_one_file_lose_nothing(path):
    one, other = ft.Watch(path, promise()), ft.Watch(path, promise())
    one.day(asked=10, answered=6, on=FIRST)
    other.label([True, False])
    one.day(asked=10, answered=7, on=FIRST + datetime.timedelta(1))
    told = json.loads(path.read_text())
    assert list(told["days"].values()) == [0.6, 0.7]
    assert told["labels"] == [True, False]


@pytest.mark.parametrize("change", [{"labels": ["false"]}, {"days": {"2026-12-01": 7}}])
def test_values_that_cannot_be_are_refused(path, change):
    ft.Watch(path, promise()).day(asked=10, answered=6, on=FIRST)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match="is no watch"):
        ft.Watch(path, promise())


def test_it_promises_no_speed_that_hangs_on_the_promise(path):
    assert "days" not in str(ft.Watch(path, promise(error=0.10))).partition("\n")[2]


def taken(path, first, count):
    """Another process that labels answers."""
    watch = ft.Watch(path, promise())
    for number in range(count):
        watch.label([bool((first + number) % 2)])


def test_two_processes_lose_nothing(path):
    ft.Watch(path, promise()).day(asked=10, answered=6, on=FIRST)
    others = [multiprocessing.get_context("spawn").Process(target=taken, args=(path, 0, 40)) for _ in range(2)]
    for other in others:
        other.start()
    taken(path, 0, 40)
    for other in others:
        other.join()
        assert other.exitcode == 0
    told = json.loads(path.read_text())
    assert len(told["labels"]) == 120
    assert sum(told["labels"]) == 60
    assert list(told["days"].values()) == [0.6]


def test_the_mean_confidence_is_watched_as_well(path):
    """As much is answered as ever, but the answers are less sure: computed by the same evidence, at half the level."""
    usual = [0.80 + 0.01 * (7 * i % 5 - 2) for i in range(60)] + [0.70 - 0.001 * i for i in range(30)]
    watch, colors = ft.Watch(path, promise()), []
    for number, mean in enumerate(usual):
        share = 6000 + (number * 7919) % 13
        alarm = watch.day(asked=10_000, answered=share, confidence=mean, on=FIRST + datetime.timedelta(number))
        colors.append(alarm.color)
        if colors.count("amber") == 1 and alarm.color == "amber":
            assert "mean confidence 0.7 on 2027-01-30, usual are 0.7" in alarm.reason
    assert set(colors[:60]) == {"green"}
    evidence = ft.statistics.shift_evidence(usual)
    day = next(place for place, one in enumerate(evidence) if one >= 73_000)
    assert abs(colors.index("red") - day) <= 1
    assert colors[-1] == "red"
    again = ft.Watch(path, promise())
    assert again.state.color == "red"


def test_a_confidence_that_is_none_is_refused(path):
    watch = ft.Watch(path, promise())
    with pytest.raises(ValueError, match="a mean confidence is a number, not nan"):
        watch.day(asked=10, answered=6, confidence=float("nan"), on=FIRST)
    assert watch.days == {}


def test_a_file_of_the_first_form_is_read_on(path):
    ft.Watch(path, promise()).day(asked=10, answered=6, on=FIRST)
    told = json.loads(path.read_text())
    del told["confidences"]
    path.write_text(json.dumps(told | {"watch": 1}))
    watch = ft.Watch(path, promise())
    watch.day(asked=10, answered=7, confidence=0.5, on=FIRST + datetime.timedelta(1))
    assert list(ft.Watch(path, promise()).days.values()) == [0.6, 0.7]
