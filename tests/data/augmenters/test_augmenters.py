"""Each augmenter alone: what it makes of one example, and what it leaves untouched."""

import re

import pytest

import finetune_lib as ft
from finetune_lib.data import augmenters as aug
from finetune_lib.data.augmenters.gate import CHANGED, PERTURBED, REWORDED, SLIPPED
from finetune_lib.data.augmenters.rewriting import versions_in
from finetune_lib.data.augmenters.slips import KINDS, spots, table
from finetune_lib.platforms.asking import UnreadableAnswerError
from finetune_lib.rows.turns import rewritten, turns, user_turns
from finetune_lib.texts.scripts import variety


def chat(user, answer="好的。", system=None):
    told = [("system", system)] * (system is not None) + [("user", user), ("assistant", answer)]
    return ft.Example({"messages": [{"role": role, "content": text} for role, text in told]})


def said(child):
    return next(m["content"] for m in child.data["messages"] if m["role"] == "user")


def noisy(text, kind, **options):
    children = aug.Noise(kinds=[kind], **{"rate": 1.0, "n": 8, **options})(chat(text))
    return [said(child) if isinstance(child, aug.Child) else child.reason for child in children]


class TestTurns:
    def test_every_format_tells_its_user_turns(self):
        pair = {"prompt": "問", "completion": "答"}
        preference = {
            "input": {"messages": [{"role": "user", "content": "問"}]},
            "preferred_output": [{"role": "assistant", "content": "好"}],
            "non_preferred_output": [{"role": "assistant", "content": "壞"}],
        }
        parts = {"messages": [{"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "問"}]}]}
        for data in (chat("問").data, pair, preference, parts):
            assert [turn.text for turn in user_turns(data)] == ["問"]
        assert [turn.role for turn in turns(preference)] == ["user", "assistant", "assistant"]

    @pytest.mark.parametrize(
        "data",
        [{}, {"messages": None}, {"messages": [3, {"role": 1}, {"content": [None, {"text": 4}]}]}, {"input": {}}],
    )
    def test_malformed_rows_have_none(self, data):
        assert turns(data) == []

    def test_grader_fields_of_a_chat_are_no_turns(self):
        assert [t.text for t in turns({"messages": [{"role": "user", "content": "問"}], "prompt": "x"})] == ["問"]

    def test_rewriting_leaves_the_row_itself_alone(self):
        data = {"messages": [{"role": "user", "content": [{"type": "text", "text": "問"}], "name": "a"}], "tools": [1]}
        (turn,) = turns(data)
        changed = rewritten(data, {turn.path: "再問"})
        assert changed["messages"][0] == {"role": "user", "content": [{"type": "text", "text": "再問"}], "name": "a"}
        assert data["messages"][0]["content"][0]["text"] == "問"
        assert changed["tools"] is data["tools"]


class TestNoise:
    @pytest.mark.parametrize(
        ("kind", "text", "possible"),
        [
            ("width", "幾點登機？", {"幾點登機?"}),
            ("width", "幾點登機?", {"幾點登機？"}),
            ("width", "我的email壞了", {"我的ｅｍａｉｌ壞了"}),
            ("punctuation", "幾點登機。", {"幾點登機"}),
            ("punctuation", "幾點登機？", {"幾點登機", "幾點登機？？"}),
            ("spacing", "用 wifi 要錢嗎", {"用wifi要錢嗎"}),
            ("zhuyin", "應該去", {"因該去"}),
            ("zhuyin", "好了吧", {"好了ㄅ"}),
            ("pinyin", "应该去", {"因该去"}),
            ("typos", "receive", {"recieve"}),
        ],
    )
    def test_slips(self, kind, text, possible):
        assert set(noisy(text, kind)) == possible

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        "text",
        [
            "https://shop.example.tw/在哪?a=please&b=3",
            "bob.please@example.com",
            "`please receive 應該`",
            "```\nplease receive, 應該。\n```",
            "EVA AIR",
            "1,234.50",
            "12：30",
            "{customer_name}",
            "<please>",
            "def please(receive) {",
            "/usr/local/please",
            "iPhone15",
        ],
    )
    def test_what_no_slip_touches(self, kind, text):
        assert set(noisy(text, kind)) == {"the user's text has no place for such a slip"}

    def test_digits_capitals_and_addresses_stay_in_a_whole_text(self):
        text = (
            "請問 BR-0198 班機應該幾點到？please reply to bob@example.com，電話 02-2712 3456，see https://a.tw/x?y=1。"
        )
        kept = ("BR-0198", "bob@example.com", "02-2712", "3456", "https://a.tw/x?y=1")
        for child in aug.Noise(rate=1.0, n=50)(chat(text)):
            assert all(piece in said(child) for piece in kept), said(child)

    def test_slips_of_one_script_stay_out_of_the_other(self):
        assert set(noisy("我應該已經登入嗎", "pinyin")) == {"the user's text has no place for such a slip"}
        assert set(noisy("我应该已经登录吗", "zhuyin")) == {"the user's text has no place for such a slip"}

    def test_at_least_one_slip_however_low_the_rate(self):
        text = "應該在哪裡登入帳號？可以退貨嗎？"
        assert all(one != text for one in noisy(text, "zhuyin", rate=1e-9))

    def test_rate_one_slips_everywhere_and_a_low_rate_seldom(self):
        text = "應該在哪裡登入帳號，應該在哪裡登入帳號，應該在哪裡登入帳號"
        assert all("應該" not in one for one in noisy(text, "zhuyin"))
        assert all(one.count("應該") >= 1 for one in noisy(text, "zhuyin", rate=0.05))

    def test_only_the_user_is_changed(self):
        example = chat("應該在哪裡登入？", answer="應該在官網登入。", system="應該有禮。")
        for child in aug.Noise(rate=1.0, n=5)(example):
            assert child.data["messages"][0] == example.data["messages"][0]
            assert child.data["messages"][2] == example.data["messages"][2]

    def test_the_detail_names_the_kinds(self):
        (child,) = aug.Noise(kinds=["zhuyin", "punctuation"], rate=1.0)(chat("應該去。"))
        assert child.detail == "punctuation+zhuyin"

    def test_words_inside_words_are_left_alone(self):
        assert spots("我在網吧", ["zhuyin"]) == []
        assert spots("thereceiver", ["typos"])[0].end == len("thereceiver")

    @pytest.mark.parametrize(
        "options", [{"kinds": []}, {"kinds": "width"}, {"kinds": ["x"]}, {"rate": 0}, {"rate": 2}, {"n": 0}]
    )
    def test_wrong_arguments(self, options):
        with pytest.raises(ValueError, match="Noise takes"):
            aug.Noise(**options)

    @pytest.mark.parametrize("text", ["a" * 20_000, "@" * 5_000, "<|" * 5_000, "a." * 5_000, "`" * 5_000, "，" * 5_000])
    def test_no_text_takes_long(self, text):
        assert len(noisy(text, "typos", n=1)) == 1


class TestTables:
    @pytest.mark.parametrize("name", ["zhuyin", "pinyin", "english"])
    def test_no_slip_is_its_word_and_none_stands_twice(self, name):
        for word, slips in table(name).words.items():
            assert word not in slips
            assert len(set(slips)) == len(slips)

    def test_each_table_keeps_to_its_script(self):
        zhuyin, pinyin = table("zhuyin").words, table("pinyin").words
        assert all(variety(word + "".join(slips)) != "zh-Hans" for word, slips in zhuyin.items())
        assert all(variety(word + "".join(slips)) != "zh-Hant" for word, slips in pinyin.items())

    def test_english_words_are_lower_case_letters(self):
        assert all(re.fullmatch("[a-z']+", word) for word in table("english").words)


class TestScript:
    def test_user_alone_by_default(self):
        example = chat("软件登录不了，联系客服", answer="请重新安装软件", system="你是客服。软件")
        (child,) = aug.Script("zh-Hant")(example)
        assert said(child) == "軟體登入不了，聯絡客服"
        assert child.data["messages"][2] == example.data["messages"][2]
        assert child.data["messages"][0] == example.data["messages"][0]

    def test_answers_too(self):
        (child,) = aug.Script("zh-Hant", answers=True)(chat("软件", answer="请重新安装软件", system="你是软件客服"))
        assert [m["content"] for m in child.data["messages"]] == ["你是軟體客服", "軟體", "請重新安裝軟體"]

    def test_characters_alone(self):
        (child,) = aug.Script("zh-Hant", words=False)(chat("软件"))
        assert said(child) == "軟件"

    def test_to_simplified(self):
        (child,) = aug.Script("zh-Hans")(chat("軟體登入"))
        assert said(child) == "软件登录"

    @pytest.mark.parametrize("text", ["只有一台，信息里面", "hello", "軟體"])
    def test_what_is_in_the_script_already_stays(self, text):
        (child,) = aug.Script("zh-Hant")(chat(text))
        assert said(child) == text

    def test_wrong_script(self):
        with pytest.raises(ValueError, match="zh-Hant"):
            aug.Script("zh")


class TestSystemPrompts:
    def test_replaces_or_puts_before(self):
        variants = aug.SystemPrompts(["甲", "乙"])
        assert [child.data["messages"][0]["content"] for child in variants(chat("問", system="舊"))] == ["甲", "乙"]
        assert [[m["role"] for m in c.data["messages"]] for c in variants(chat("問"))] == [
            ["system", "user", "assistant"]
        ] * 2

    def test_keeps_the_developer_role_and_other_keys(self):
        row = {"messages": [{"role": "developer", "content": "舊", "name": "x"}, {"role": "user", "content": "問"}]}
        (child,) = aug.SystemPrompts(["甲"])(ft.Example(row))
        assert child.data["messages"][0] == {"role": "developer", "content": "甲", "name": "x"}

    def test_preferences(self):
        row = {"input": {"messages": [{"role": "user", "content": "問"}], "tools": []}, "preferred_output": []}
        (child,) = aug.SystemPrompts(["甲"])(ft.Example(row))
        assert child.data["input"]["messages"][0] == {"role": "system", "content": "甲"}
        assert child.data["input"]["tools"] == []

    def test_some_by_content(self):
        few = aug.SystemPrompts(list("甲乙丙丁戊"), n=2)
        chosen = {tuple(child.detail for child in few(chat(str(i)))) for i in range(30)}
        assert all(len(one) == 2 for one in chosen)
        assert len(chosen) > 3

    def test_a_pair_has_no_place_for_one(self):
        assert [*aug.SystemPrompts(["甲"])(ft.Example({"prompt": "a", "completion": "b"}))] == [
            aug.Missing("the row has no messages")
        ]

    @pytest.mark.parametrize("variants", [[], "甲", [" "]])
    def test_wrong_arguments(self, variants):
        with pytest.raises(ValueError, match="SystemPrompts needs"):
            aug.SystemPrompts(variants)


TABLES = {"movie": ["少年Pi", "一一"], "sentiment": {"好看": "正面", "難看": "負面"}}


class TestTemplate:
    def test_the_whole_product_with_answers_from_the_table(self):
        rows = aug.Template("這部{movie}很{sentiment}。", tables=TABLES, system="判斷").examples()
        assert [(row.prompt, row.answer) for row in rows] == [
            ("這部少年Pi很好看。", "正面"),
            ("這部少年Pi很難看。", "負面"),
            ("這部一一很好看。", "正面"),
            ("這部一一很難看。", "負面"),
        ]
        assert rows[3].messages[0].text == "判斷"

    def test_rows_remember_their_cells(self):
        rows = aug.Template("這部{movie}很{sentiment}。", tables=TABLES).examples()
        assert rows[2].origin.cells == {"/messages/0/content": "movie[1] sentiment[0]"}
        assert (rows[2].origin.row, rows[2].origin.source) == (3, "這部{movie}很{sentiment}。")

    def test_answer_template(self):
        (row, *_) = aug.Template(
            "{movie}{sentiment}嗎", tables=TABLES, answer="{movie}：{sentiment}（{sentiment.word}）{{}}"
        ).examples()
        assert row.answer == "少年Pi：正面（好看）{}"

    def test_draws_by_the_seed_without_repetition(self):
        words = {"a": [f"甲{i}" for i in range(100)], "b": [f"乙{i}" for i in range(100)]}
        template = aug.Template("{a}{b}", tables=words, answer="好", n=50)
        first, again, other = (template.examples(seed=seed) for seed in (1, 1, 2))
        assert first == again
        assert first != other
        assert len({row.prompt for row in first}) == template.rows == 50

    def test_a_huge_product_is_drawn_from_and_never_written_out(self):
        words = {name: [str(i) for i in range(1000)] for name in "abcdefg"}
        text = "".join(f"{{{name}}}" for name in words)
        assert len(aug.Template(text, tables=words, answer="x", n=3).examples()) == 3
        with pytest.raises(ValueError, match="say by n="):
            aug.Template(text, tables=words, answer="x").examples()

    @pytest.mark.parametrize(
        ("text", "options", "match"),
        [
            ("{a}{b}", {"tables": {"a": ["x"]}, "answer": "y"}, "no table for {b}"),
            ("{a}", {"tables": {"a": ["x"], "b": ["x"]}, "answer": "y"}, "no place {b}"),
            ("{a}", {"tables": {"a": []}, "answer": "y"}, "at least one word"),
            ("{a}", {"tables": {"a": "xyz"}, "answer": "y"}, "list of words"),
            ("{a}", {"tables": {"a": ["x"]}}, "say the answer"),
            ("{a}", {"tables": {"a": ["x"]}, "answer": "{c}"}, "no table for {c}"),
            ("{a!r}", {"tables": {"a": ["x"]}, "answer": "y"}, "no format"),
            ("{a", {"tables": {"a": ["x"]}, "answer": "y"}, "expected '}'"),
            ("{a}", {"tables": {"a": ["x"]}, "answer": "y", "n": 0}, "at least 1"),
        ],
    )
    def test_wrong_arguments(self, text, options, match):
        with pytest.raises(ValueError, match=re.escape(match)):
            aug.Template(text, **options)


class TestVersions:
    @pytest.mark.parametrize(
        "answer",
        [
            '{"versions": [["甲"], ["乙"]]}',
            '{"versions": ["甲", "乙"]}',
            '["甲", "乙"]',
            '```json\n{"versions": [["甲"], ["乙"]]}\n```',
            'Sure! Here they are: {"paraphrases": [{"text": "甲"}, {"text": " 乙 "}]} Hope it helps.',
            '{"n": 2, "versions": [{"style": "terse", "turns": ["甲"]}, {"style": "x", "text": "乙"}]}',
            '[note] {"versions": [["甲"], ["乙"], ["丙"]]}',
        ],
    )
    def test_forgives_the_form(self, answer):
        assert versions_in(answer, turns=1, count=2) == {0: ["甲"], 1: ["乙"]}

    def test_keeps_places_where_one_is_unusable(self):
        assert versions_in('{"versions": [["甲", "x"], [""], ["乙"]]}', turns=1, count=3) == {2: ["乙"]}

    def test_several_turns(self):
        assert versions_in('{"versions": [["甲", "乙"]]}', turns=2, count=1) == {0: ["甲", "乙"]}

    @pytest.mark.parametrize(
        "answer",
        ["", "I cannot help with that.", "1. 甲\n2. 乙", '{"versions": []}', '{"versions": [["甲"', "[" * 100_000],
    )
    def test_what_holds_no_version_is_unreadable(self, answer):
        with pytest.raises(UnreadableAnswerError):
            versions_in(answer, turns=1, count=2)


class TestGate:
    @pytest.mark.parametrize(
        ("parent", "child", "reason"),
        [
            ("商品多久會到？", "何時能送達呢", None),
            ("退貨期限是 7 天嗎？", "七天內可以退嗎", None),
            ("退貨期限是 7 天嗎？", "可以退貨嗎", "numbers"),
            ("退貨期限是幾天？", "退貨期限是 7 天嗎？", "numbers"),
            ("三天內到嗎", "3 天內會到嗎", None),
            ("退貨期限是七天嗎？", "退貨期限是十四天嗎？", "numbers"),
            ("退貨期限是 7 天嗎？", "退貨期限是七十天嗎？", "numbers"),
            ("Is it open for two weeks?", "Is it open for three weeks?", "numbers"),
            ("這件可以退嗎？", "這件不可以退嗎？", "opposite"),
            ("未滿 18 歲可以買嗎", "已滿 18 歲可以買嗎", "opposite"),
            ("Can I cancel before departure?", "May I cancel after departure?", "opposite"),
            ("這件可以退嗎？", "請問這件能不能退？", None),
            ("無法登入怎麼辦", "登入失敗要怎麼處理", None),
            ("訂單 1,234 元", "1234 元的訂單", None),
            ("退貨期限是幾天？", "退货期限是几天？", "language"),
            ("退貨期限是幾天？", "How long can I return it?", "language"),
            ("Where is my order?", "我的訂單在哪", "language"),
            ("請問 iPhone 怎麼退", "手機要怎麼退", "names"),
            ("請問 iPhone 怎麼退", "iphone 退貨方式", None),
            ("寫信給 bob@example.com 可以嗎", "可以寫信嗎", "names"),
            ("Where do I find the USB port?", "Which side is the port on?", "names"),
            ("How do I pay?", "payment methods", None),
            ("退貨期限是幾天？", "退", "length"),
            ("退貨？", "請問我在貴公司網站上買的東西如果不喜歡的話，到底有沒有辦法可以退還給你們呢謝謝", "length"),
            ("退貨？", "請問東西要怎麼退還給你們？", None),
            ("退貨期限是幾天？", "退貨期限為收到商品後的一週之內對嗎", "answer in the question"),
        ],
    )
    def test_paraphrases(self, parent, child, reason):
        answer = "退貨期限為收到商品後的一週之內"
        assert REWORDED.drifted(chat(parent, answer).data, chat(child, answer).data) == reason

    def test_a_short_answer_may_stand_in_a_question(self):
        assert REWORDED.drifted(chat("這部片好看", "正面").data, chat("這部片很正面", "正面").data) is None

    @pytest.mark.parametrize("gate", [PERTURBED, SLIPPED])
    def test_small_changes(self, gate):
        assert gate.drifted(chat("應該在哪裡登入帳號？").data, chat("因該在那裡登入賬號").data) is None
        assert gate.drifted(chat("在嗎").data, chat("再嗎").data) is None
        assert gate.drifted(chat("應該在哪裡登入帳號？").data, chat("今天天氣真好").data) == "overlap"
        assert gate.drifted(chat("Where is my parcel?").data, chat("Open the window, please.").data) == "overlap"

    def test_identity(self):
        one, wide = chat("幾點登機?").data, chat("幾點登機？").data
        assert REWORDED.key(one) == REWORDED.key(wide)
        assert PERTURBED.key(one) == PERTURBED.key(wide)
        assert SLIPPED.key(one) != SLIPPED.key(wide)
        assert CHANGED.key(one) != CHANGED.key(wide)
        assert REWORDED.key(chat("a", "b").data) != REWORDED.key(chat("a", "c").data)


class TestLineage:
    def test_content_hash_knows_no_order_of_keys(self):
        assert aug.content_hash({"a": 1, "b": "中"}) == aug.content_hash({"b": "中", "a": 1})
        assert aug.content_hash({"a": 1}) != aug.content_hash({"a": 2})

    def test_a_family_is_handed_on(self):
        example = chat("問")
        assert aug.family_of(example) == aug.content_hash(example.data)
        assert aug.family_of(ft.Example(example.data, family="f")) == "f"


@pytest.mark.parametrize("make", [lambda: aug.Paraphrase(0, model="m"), lambda: aug.Paraphrase(model="m", styles=[])])
def test_paraphrase_refuses_nothing_to_do(make):
    with pytest.raises(ValueError, match="Paraphrase needs"):
        make()


def test_personas_are_needed():
    with pytest.raises(ValueError, match="persona"):
        aug.PersonaVariants([], model="m")


async def test_a_model_is_asked_only_within_a_run():
    with pytest.raises(RuntimeError, match=r"Dataset\.augment"):
        await aug.Paraphrase(model="m")(chat("問"))
