"""The rules of targets: what one takes and another refuses."""

import pickle
from datetime import date
from typing import get_args

import pytest
from tests.forms import ASSISTANT, IMAGE, SYSTEM, USER, chat, codes, found, parts

from finetune_lib.data.checks import limits
from finetune_lib.data.checks.form.images import ImageExamples
from finetune_lib.data.checks.form.rows import surveys
from finetune_lib.data.checks.profiles import profiles
from finetune_lib.data.checks.rules import Rules, Target
from finetune_lib.data.diagnostics import catalogue
from finetune_lib.records import Example, Origin

TARGETS = get_args(Target)
CALL = {"id": "abc123XYZ", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "tool_calls": [CALL]}
OBJECT = {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {}}}]}
TOOLS = [{"type": "function", "function": {"name": "f"}}]
MB = 1 << 20


def test_every_target_has_its_section_with_sources_and_their_date():
    assert set(profiles()) == {*TARGETS, "default"}
    for profile in profiles().values():
        assert profile.source
        assert date(2026, 11, 20) <= profile.read
        assert set(profile.severity) <= set(catalogue())
        assert set(profile.severity.values()) <= {"error", "warning", "info", "off"}


@pytest.mark.parametrize("target", [None, *TARGETS])
def test_a_plain_chat_is_right_for_everybody(target):
    rows = [chat(SYSTEM, {**USER, "content": f"q{n}"}, {**ASSISTANT, "content": f"a{n}"}) for n in range(10)]
    assert codes(*rows, target=target) == []


@pytest.mark.parametrize(
    ("row", "refusing"),
    [
        (chat({"role": "developer", "content": "s"}, USER, ASSISTANT), {"together", "fireworks", "mistral"}),
        (chat(USER, USER, ASSISTANT), {"together"}),
        (chat(USER, ASSISTANT, ASSISTANT), {"together", "azure"}),
        (chat(USER, SYSTEM, ASSISTANT), {"fireworks"}),
        (chat(ASSISTANT, USER, ASSISTANT), {"together", "mistral"}),
        (chat(USER, ASSISTANT, USER), {"mistral"}),
        (chat(USER, CALLING, tools=TOOLS), {"trl"}),
        (chat(USER, OBJECT, tools=TOOLS), set(TARGETS) - {"trl"}),
        (chat(USER, ASSISTANT, note="x"), set(TARGETS) - {"trl", "fireworks", "mistral"}),
        (parts(IMAGE), {"local", "together"}),
        ({"prompt": "q", "completion": "a"}, set(TARGETS) - {"local", "together", "trl"}),
        ({"text": "t"}, set(TARGETS) - {"together", "mistral", "trl"}),
        (chat(USER, {"role": "assistant", "tool_calls": [{**CALL, "id": "call_1"}]}, tools=TOOLS), {"mistral", "trl"}),
    ],
)
def test_who_refuses_a_row(row, refusing):
    errors = {target: [d.code for d in found(row, target=target) if d.severity == "error"] for target in TARGETS}
    assert {target for target, codes in errors.items() if codes} == refusing, errors


@pytest.mark.parametrize(
    ("target", "minimum"), [(None, 10), ("openai", 10), ("local", 10), ("fireworks", 3), ("together", 1)]
)
def test_the_fewest_examples(target, minimum):
    for number in (minimum - 1, minimum):
        found = [d.code for d in limits.size(number, "data", Rules(target))]
        assert found == (["K701"] if number < minimum else [])


@pytest.mark.parametrize(
    ("target", "method", "number", "expected"),
    [
        ("fireworks", "supervised", 3_000_000, []),
        ("fireworks", "supervised", 3_000_001, ["K705"]),
        ("openai", "reinforcement", 50_001, ["K705"]),
        ("openai", "supervised", 50_001, []),
    ],
)
def test_the_most_examples(target, method, number, expected):
    assert [d.code for d in limits.size(number, "data", Rules(target, method))] == expected


@pytest.mark.parametrize(
    ("target", "size", "expected"),
    [
        ("openai", 512 * MB, []),
        ("openai", 512 * MB + 1, ["K706"]),
        ("openai", 8192 * MB + 1, ["K704"]),
        ("azure", 150 * MB + 1, ["K706"]),
        ("azure", 512 * MB + 1, ["K704"]),
        ("trl", 1 << 50, []),
    ],
)
def test_the_largest_file(target, size, expected):
    assert [d.code for d in limits.file_size(size, "data", Rules(target))] == expected


@pytest.mark.parametrize(
    ("rules", "today", "expected"),
    [
        (Rules("openai"), date(2026, 12, 1), ["warning"]),
        (Rules("openai"), date(2027, 1, 6), ["error"]),
        (Rules("openai", model="gpt-4.1"), date(2026, 12, 1), ["warning"]),
        (Rules(None, model="gpt-4.1"), date(2026, 12, 1), ["warning"]),
        (Rules(None), date(2028, 1, 1), []),
        (Rules("compatible", model="gpt-4.1"), date(2028, 1, 1), []),
        (Rules("azure", model="gpt-4.1-mini-2025-04-14"), date(2026, 12, 1), ["warning"]),
        (Rules("azure", model="gpt-4.1-mini"), date(2028, 1, 1), ["warning"]),
        (Rules("azure", model="o4-mini"), date(2026, 12, 1), []),
        (Rules("local"), date(2028, 1, 1), []),
    ],
)
def test_the_end_of_training(rules, today, expected):
    assert [d.severity for d in limits.platform(rules, today) if d.code == "K709"] == expected


def test_a_method_that_is_not_offered_is_told_once():
    assert [d.code for d in limits.platform(Rules("together", "reinforcement"), date(2026, 12, 1))] == ["P611"]


def test_limits_of_a_service_of_ones_own():
    rules = Rules("compatible", limits=(("minimum", 2), ("maximum", 3), ("file_bytes", 100)))
    assert [[d.code for d in limits.size(n, "data", rules)] for n in (1, 2, 3, 4)] == [["K701"], [], [], ["K705"]]
    assert [d.code for d in limits.file_size(101, "data", rules)] == ["K704"]
    with pytest.raises(ValueError, match="there is no limit 'files'"):
        Rules(limits=(("files", 1),))


def test_rules_travel_to_other_processes():
    rules = Rules("azure", "reinforcement", "o4-mini", grader={"type": "string_check", "reference": "{{item.answer}}"})
    assert pickle.loads(pickle.dumps(rules)) == rules
    assert rules.grader_fields == {"answer"}


MIXED = [
    chat(USER, ASSISTANT, answer="a", tools=TOOLS),
    {"prompt": "q", "completion": "a"},
    parts(IMAGE),
    chat(USER, answer="a"),
    {"input": {"messages": [USER]}, "preferred_output": [ASSISTANT], "non_preferred_output": [ASSISTANT]},
    chat(USER, ASSISTANT, answer="b"),
    chat(USER, ASSISTANT, answer="c"),
]


@pytest.mark.parametrize("method", ["supervised", "dpo", "reinforcement"])
@pytest.mark.parametrize("cut", range(len(MIXED) + 1))
def test_surveys_of_parts_say_what_the_survey_of_the_whole_says(method, cut):
    rules = Rules("local", method, limits=(("image_examples", 0),) if method == "dpo" else ())
    rows = [Example(row, Origin("rows", row=number)) for number, row in enumerate(MIXED * 5, start=1)]

    def looked(part):
        gathered = surveys(rules)
        for survey in gathered:
            for place, example in enumerate(part):
                survey.look(example, place)
        return pickle.loads(pickle.dumps(gathered))

    whole, first, second = looked(rows), looked(rows[:cut]), looked(rows[cut:])
    for survey, later in zip(first, second, strict=True):
        survey.merge(later, cut)
    told = [[list(survey.findings(rows, rules)) for survey in gathered] for gathered in (whole, first)]
    assert told[0] == told[1]
    assert any(told[0])


def test_the_most_examples_with_images():
    rules = Rules(limits=(("image_examples", 2),))
    survey = ImageExamples()
    for number, expected in ((1, []), (2, []), (3, ["K711"])):
        survey.look(Example(parts(IMAGE)), number)
        assert [d.code for d in survey.findings([Example(parts(IMAGE))], rules)] == expected
