"""Conversations in tables: what is said and by whom, in four layouts; and the refusals where a table does not tell."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.files import SHARED, workbook

import finetune_lib as ft

CASES = SHARED / "cases" / "conversations"


@pytest.fixture
def load(tmp_path):
    def load(text, name="talks.csv", **options):
        path = tmp_path / name
        if name.endswith(".xlsx"):
            workbook(text).save(path)
        else:
            path.write_text(text, encoding="utf-8")
        return ft.Dataset.load(path, **options)

    return load


@pytest.fixture
def refused(load):
    def refused(text, **options):
        with pytest.raises(ft.ReadError) as caught:
            load(text, **options)
        return caught.value.diagnostic

    return refused


def said(data):
    """The conversations, each turn as the letter of its role and its text."""
    return [[f"{turn['role'][0]}: {turn['content']}" for turn in example.data["messages"]] for example in data]


def codes(data, severity="error"):
    return [(d.code, d.origin.line) for d in data.problems if d.severity == severity]


TWO = [["u: 我想改地址", "a: 請問新的地址是？", "u: 台北市", "a: 改好了。"], ["u: 發票沒收到", "a: 已補寄。"]]


# The sheets are no part of the repository; what each of them shows is tried below with sheets that are.
@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.csv")))
def test_the_shared_sheets_are_read_or_refused(name):
    right = json.loads((CASES / f"{name}.right.json").read_text(encoding="utf-8"))
    try:
        data = ft.Dataset.load(CASES / f"{name}.csv")
    except ft.ReadError:
        assert right == "refuse"
        return
    if name == "plain-faq":  # no conversation: a question and its answer a row
        assert len(data) == 2
    elif right == "refuse":  # one row cannot be read, and the data is not saved or trained before it is
        assert codes(data)
        with pytest.raises(ft.InvalidDatasetError):
            data.require_whole()
    else:
        assert [example.data["messages"] for example in data] == right


# A turn a row


@pytest.mark.parametrize(
    "text",
    [
        "對話編號,角色,內容\n1,客戶,我想改地址\n1,客服,請問新的地址是？\n1,客戶,台北市\n1,客服,改好了。\n2,客戶,發票沒收到\n2,客服,已補寄。\n",
        "會話,說話者,訊息\n甲,用戶,我想改地址\n,助理,請問新的地址是？\n,用戶,台北市\n,助理,改好了。\n乙,用戶,發票沒收到\n,助理,已補寄。\n",
        "role,content\nuser,我想改地址\nassistant,請問新的地址是？\nuser,台北市\nassistant,改好了。\n,\nuser,發票沒收到\nassistant,已補寄。\n",
        "輪次,發言者,文字\n1,顧客,我想改地址\n2,專員,請問新的地址是？\n3,顧客,台北市\n4,專員,改好了。\n1,顧客,發票沒收到\n2,專員,已補寄。\n",
        "ticket,turn,type,text\nA,4,outbound,改好了。\nB,1,inbound,發票沒收到\nA,1,inbound,我想改地址\nA,3,inbound,台北市\n"
        "A,2,outbound,請問新的地址是？\nB,2,outbound,已補寄。\n",
    ],
    ids=["id", "filled down", "blank rows", "counter", "shuffled"],
)
def test_a_turn_in_each_row(load, text):
    data = load(text)
    assert sorted(said(data), key=len, reverse=True) == TWO
    assert "T300" in {d.code for d in data.problems}
    assert codes(data) == []


def test_names_of_columns_are_told_as_they_stand_in_every_language(load):
    data = load("case,role,text\n1,user,q\n1,agent,a\n2,user,r\n2,agent,b\n")
    note = next(d for d in data.problems if d.code == "T300").texts("zh-Hant").message
    assert "「role」是說話者（user = user, agent = assistant），「text」是內容；同一段對話依'case'判斷" in note


def test_neighbours_of_one_side_are_one_turn_and_a_last_question_is_left_out_and_told(load):
    first = "1,user,Hello\n1,user,My order is late\n1,agent,It comes today\n1,user,Thanks\n"
    data = load(f"case,role,text\n{first}2,user,q\n2,agent,a\n")
    assert said(data) == [["u: Hello\nMy order is late", "a: It comes today"], ["u: q", "a: a"]]
    assert ("T314", 2) in codes(data, "info")


def test_a_conversation_of_one_side_is_named(load):
    data = load("case,role,text\n1,user,q1\n1,agent,a1\n2,user,q2\n2,agent,a2\n3,user,q3\n")
    assert len(data) == 2
    assert codes(data, "warning") == [("T315", 6)]


def test_each_message_keeps_its_cell(load):
    sheet = "[S]\ncase\tspeaker\tmessage\nA-1\tcustomer\tq1\nA-1\tagent\ta1\nA-2\tcustomer\tq2\nA-2\tagent\ta2"
    example = load(sheet, "talks.xlsx")[1]
    assert (example.origin.cells["/messages/0/content"], example.origin.cells["/messages/1/content"]) == (
        "S!C4",
        "S!C5",
    )


def test_ids_merged_over_their_rows_are_filled_down(load):
    sheet = "[S]\n案號\t發話者\t內容\n甲\t客戶\tq1\n\t客服\ta1\n乙\t客戶\tq2\n\t客服\ta2\n!merge A2:A3\n!merge A4:A5"
    assert said(load(sheet, "talks.xlsx")) == [["u: q1", "a: a1"], ["u: q2", "a: a2"]]


def test_speakers_that_are_not_known_are_asked_for(load, refused):
    text = "對話編號,發話者,內容\n1,小美,q1\n1,阿強,a1\n2,小美,q2\n2,阿強,a2\n"
    found = refused(text)
    assert (found.code, found.origin.line) == ("T304", 1)
    assert "roles={'小美': …, '阿強': …}" in found.hint
    assert said(load(text, roles={"小美": "user", "阿強": "assistant"})) == [["u: q1", "a: a1"], ["u: q2", "a: a2"]]


def test_a_stranger_further_down_costs_the_conversation_and_is_named(load):
    rows = "".join(f"{n},user,q{n}\n{n},assistant,a{n}\n" for n in range(150))
    data = load(f"case,role,text\n{rows}150,user,q\n150,robot X,a\n")
    assert len(data) == 150
    assert codes(data) == [("T317", 303), ("T313", 302)]


def test_a_row_that_cannot_be_read_costs_the_conversations_that_it_may_belong_to(load):
    data = load(
        "case,role,text\n1,user,q1\n1,agent,a1\n2,user,q2\n2,agent,a, 2\n2,user,q3\n2,agent,a3\n3,user,q\n3,agent,a\n"
    )
    assert said(data) == [["u: q1", "a: a1"], ["u: q", "a: a"]]
    assert codes(data) == [("T254", 5), ("T313", 4)]


def test_a_row_that_cannot_be_read_costs_its_conversation_wherever_its_turns_stand(load):
    turns = [
        "A,1,user,q",
        "B,1,user,q",
        "C,1,user,q",
        "A,2,agent,a",
        "B,2,agent,a",
        "C,2,agent,a, or not",
        "D,1,user,q",
    ]
    more = ["A,3,user,q", "B,3,user,q", "C,3,user,q", "A,4,agent,a", "C,4,agent,a", "B,4,agent,a", "D,2,agent,a"]
    data = load("\n".join(["case,turn,role,text", *turns, *more]))
    assert said(data) == [["u: q", "a: a", "u: q", "a: a"]]
    assert codes(data) == [("T254", 7), ("T313", 3), ("T313", 4), ("T313", 8)]


def test_only_one_side(refused):
    assert refused("case,role,text\n1,user,q1\n1,customer,q2\n2,user,q3\n2,customer,q4\n").code == "T305"


RUN_ON = "role,text\n" + "".join(f"user,q{n}\nassistant,a{n}\n" for n in range(10))


def test_conversations_that_nothing_parts_are_not_one(load, refused):
    assert refused(RUN_ON).code == "T306"
    shop = (
        RUN_ON.replace("role,text\n", "shop,role,text\n")
        .replace("user,", "north,user,")
        .replace("assist", "north,assist")
    )
    assert refused(shop).code == "T306"
    assert len(load(shop.replace("north", "no-1"), conversation="shop")) == 1


def test_a_column_that_is_told_and_not_there(refused):
    assert refused(RUN_ON, conversation="case").code == "T265"


def test_two_columns_of_what_is_said_ask_for_one(load, refused):
    first, second = "1,user,hello there,你好\n1,agent,good day,您好\n", "2,user,bye now,再見\n2,agent,see you,再會\n"
    text = f"case,role,text_en,text_zh\n{first}{second}"
    assert refused(text).code == "T307"
    told = {"role": "role", "content": "text_zh"}
    assert said(load(text, columns=told)) == [["u: 你好", "a: 您好"], ["u: 再見", "a: 再會"]]


def test_a_wrong_role_is_a_wrong_argument(load):
    with pytest.raises(ValueError, match="roles= maps speakers to user, assistant or system, not to human"):
        load(RUN_ON, roles={"user": "human"})


# What names alone would take for a label


def test_the_direction_of_messages_is_no_label(load, refused):
    assert refused("text,type\n" + "".join(f"q{n},inbound\na{n},outbound\n" for n in range(9))).code == "T306"
    assert refused("內容,類型\n" + "".join(f"問{n},進線\n答{n},外撥\n" for n in range(9))).code == "T306"
    data = load("case,text,type\n" + "".join(f"C{n},q{n},inbound\nC{n},a{n},outbound\n" for n in range(9)))
    assert said(data)[8] == ["u: q8", "a: a8"]


def test_a_label_named_so_stays_one_with_a_warning(load):
    data = load("text,label\n" + "".join(f"Sentence number {n},human\nLine number {n},ai\n" for n in range(9)))
    assert said(data)[0] == ["u: Sentence number 0", "a: human"]
    assert codes(data, "warning") == [("S329", 1)]


def test_kinds_of_texts_stay_labels(load):
    data = load("內容,類型\n" + "".join(f"第{n}句話,{kind}\n" for n, kind in enumerate(["好評", "差評"] * 5)))
    assert said(data)[1] == ["u: 第1句話", "a: 差評"]
    assert codes(data, "warning") == []


def test_the_category_of_turns_is_no_answer_to_each(refused):
    turns = "".join(f"{'ab'[n // 10]},{('user', 'assistant')[n % 2]},this is turn {n}\n" for n in range(20))
    assert refused(f"category,role,text\n{turns}").code == "T306"


def test_a_speaker_beside_question_and_answer_changes_nothing(load):
    data = load("身分,問題,答案\n學生,q1,a1\n老師,q2,a2\n學生,q3,a3\n")
    assert said(data) == [["u: q1", "a: a1"], ["u: q2", "a: a2"], ["u: q3", "a: a3"]]


def test_what_the_user_tells_goes_before_evidence(load):
    text = "case,text,type\n" + "".join(f"C{n},q{n},inbound\nC{n},a{n},outbound\n" for n in range(9))
    data = load(text, columns={"prompt": "text", "completion": "type"})
    assert said(data)[0] == ["u: q0", "a: inbound"]


# Turns in columns


@pytest.mark.parametrize(
    "names", ["user1,assistant1,user2,assistant2", "Q1,A1,Q2,A2", "使用者一,助理一,使用者二,助理二", "問1,答1,問2,答2",
              "user,assistant,user.1,assistant.1", "問題,答案,問題2,答案2", "assistant_2,user_2"]
)  # fmt: skip
def test_turns_in_numbered_columns(load, refused, names):
    if names == "assistant_2,user_2":
        assert refused(f"{names}\na,q\n").code == "T253"
        return
    data = load(f"{names}\nq1,a1,q2,a2\nq3,a3,,\n")
    assert said(data) == [["u: q1", "a: a1", "u: q2", "a: a2"], ["u: q3", "a: a3"]]


def test_turns_are_in_the_order_of_their_numbers(load):
    data = load("分類,assistant_2,user_2,system,assistant_1,user_1\nx,a2,q2,be kind,a1,q1\n")
    assert said(data) == [["s: be kind", "u: q1", "a: a1", "u: q2", "a: a2"]]
    assert data[0].category == "x"


def test_a_hole_in_a_conversation_is_named_at_its_cell(load):
    data = load("[S]\nuser1\tassistant1\tuser2\tassistant2\nq1\t\tq2\ta2\nq3\ta3", "talks.xlsx")
    assert said(data) == [["u: q3", "a: a3"]]
    assert [(d.code, d.cell) for d in data.problems if d.severity == "error"] == [("T308", "S!B2")]


@pytest.mark.parametrize(
    "names", ["問題,答案,問題2", "question1,question2,answer", "問題,問題2,答案", "question,answer,answer2"]
)
def test_two_questions_or_answers_are_no_conversation(load, names):
    try:
        data = load(f"{names}\nq1,x,y\nq2,x,y\n")
    except ft.ReadError:
        return
    assert {len(example.data["messages"]) for example in data} == {2}
    assert "T301" not in {d.code for d in data.problems}


# A conversation in one cell


BARE = [turn[3:] for turn in TWO[0]]
WIRE = list(zip(("user", "assistant") * 2, BARE, strict=True))
SPOKEN = list(zip(("客戶", "客服") * 2, BARE, strict=True))


@pytest.mark.parametrize(
    "cell",
    [
        "客戶：我想改地址\n客服：請問新的地址是？\n客戶：台北市\n客服：改好了。",
        "問：我想改地址 答：請問新的地址是？ 問：台北市 答：改好了。",
        "[10:02] 客戶: 我想改地址\n[10:03] 客服: 請問新的地址是？\n[10:04] 客戶: 台北市\n[10:05] 客服: 改好了。",
        "【使用者】：我想改地址\n【助理】：請問新的地址是？\n【使用者】：台北市\n【助理】：改好了。",
        json.dumps([{"role": role, "content": text} for role, text in WIRE]),
        json.dumps({"turns": [{"speaker": who, "text": text} for who, text in SPOKEN]}),
    ],
    ids=["lines", "one line", "times", "brackets", "messages", "other names"],
)  # fmt: skip
def test_a_conversation_in_one_cell(load, cell):
    rows = "".join(f'{n},"{cell.replace(chr(34), chr(34) * 2)}"\n' for n in range(3))
    data = load(f"案號,全文\n{rows}")
    assert said(data) == [TWO[0]] * 3
    assert ("T302", 1) in codes(data, "info")


def test_a_line_without_a_speaker_goes_on(load):
    cell = '"User: My order is late\nit is number 12: the red one\nAgent: Sorry"'
    assert said(load(f"no,log\n1,{cell}\n2,{cell}\n"))[0] == [
        "u: My order is late\nit is number 12: the red one",
        "a: Sorry",
    ]


def test_a_cell_that_is_no_conversation_is_named(load):
    good = '"User: q\nAgent: a"'
    data = load("no,log\n" + "".join(f"{n},{good}\n" for n in range(4)) + "5,see the file\n")
    assert len(data) == 4
    assert codes(data) == [("T316", 10)]


def test_speakers_of_a_cell_may_be_told(load, refused):
    text = "no,log\n" + "".join(f'{n},"Ann: q1\nTom: a1\nAnn: q2\nTom: a2"\n' for n in range(3))
    assert refused(text).code == "T304"
    assert said(load(text, roles={"Ann": "user", "Tom": "assistant"}))[0] == ["u: q1", "a: a1", "u: q2", "a: a2"]


def test_two_columns_of_conversations_ask_for_one(load, refused):
    text = 'before,after\n"User: q1\nBot: a1","User: q2\nBot: a2"\n'
    assert refused(text).code == "T307"
    assert said(load(text, conversation="after")) == [["u: q2", "a: a2"]]


def test_a_conversation_beside_a_category_is_not_guessed(refused, load):
    text = "對話,類別\n" + "".join(f'"客戶：q{n}\n客服：a{n}",{kind}\n' for n, kind in enumerate(["退貨", "運費"] * 3))
    assert refused(text).code == "T307"
    assert said(load(text, conversation="對話"))[1] == ["u: q1", "a: a1"]
    assert load(text, conversation="對話")[1].category == "運費"
    assert said(load(text, columns={"prompt": "對話", "completion": "類別"}))[1][1] == "a: 運費"


def test_a_dialogue_and_its_summary_stay_a_pair(load):
    text = "對話,摘要\n" + "".join(f'"客戶：q{n}\n客服：a{n}",客戶詢問第 {n} 件事，客服答覆\n' for n in range(5))
    assert said(load(text))[1][1] == "a: 客戶詢問第 1 件事，客服答覆"


def test_weights_inside_a_cell_are_kept(load):
    turns = [{"role": role, "content": role} for role in ("user", "assistant", "user", "assistant")]
    turns[1]["weight"] = 0
    cell = json.dumps(turns).replace('"', '""')
    assert load(f'no,chat\n1,"{cell}"\n')[0].data["messages"] == turns


def test_messages_with_more_than_text_under_other_names_are_refused(refused):
    turns = [{"speaker": "user", "text": "q"}, {"speaker": "bot", "text": "a", "loss": False}]
    cell = json.dumps(turns).replace('"', '""')
    assert refused(f'no,chat\n1,"{cell}"\n2,"{cell}"\n').code == "T253"


# Multiple choice


@pytest.mark.parametrize(
    ("names", "right"),
    [("題目,A,B,C,答案", "B"), ("question,option_a,option_b,option_c,answer", "(b)"),
     ("試題,選項一,選項二,選項三,正解", "2"),
     ("Stem,Choice 1,Choice 2,Choice 3,Correct", "2"), ("題幹,選項(A),選項(B),選項(C),標準答案", "Ｂ")],
)  # fmt: skip
def test_multiple_choice_shows_its_options(load, names, right):
    data = load(f"{names}\n何者是離島？,台南,澎湖,嘉義,{right}\n首都是？,台北,高雄,,{right}\n")
    assert said(data) == [
        ["u: 何者是離島？\n(A) 台南\n(B) 澎湖\n(C) 嘉義", "a: B"],
        ["u: 首都是？\n(A) 台北\n(B) 高雄", "a: B"],
    ]
    assert ("T303", 1) in codes(data, "info")


def test_an_answer_that_is_no_option_is_named_at_its_cell(load):
    data = load("[S]\n題目\tA\tB\t答案\n何者？\t一\t二\tA\n哪個？\t一\t\tB", "choice.xlsx")
    assert len(data) == 1
    assert [(d.code, d.cell) for d in data.problems if d.severity == "error"] == [("T310", "S!D3")]


@pytest.mark.parametrize(
    "text",
    ["question,A,B,answer\nq,x,y,1\nr,x,y,0\n", "question,choice1,choice2,answer\nq,x,y,1\nr,x,y,0\n"],
    ids=["letters", "from 1"],
)
def test_numbers_that_may_count_otherwise_than_the_options_are_refused(refused, text):
    assert refused(text).code == "T309"


def test_options_numbered_from_0(load):
    data = load("question,choice0,choice1,label\nq,x,y,1\nr,x,y,0\n")
    assert said(data) == [["u: q\n(A) x\n(B) y", "a: B"], ["u: r\n(A) x\n(B) y", "a: A"]]


@pytest.mark.parametrize("given", ["AC", "A,C", "(A)(C)", "a、c"])
def test_several_right_options(load, given):
    assert said(load(f'題目,A,B,C,答案\n哪些？,一,二,三,"{given}"\n何者？,一,二,三,B\n'))[0][1] == "a: AC"


def test_an_answer_in_the_words_of_its_option_stays(load):
    data = load("question,option1,option2,answer\nWhich?,one,two,two\nWhat?,red,blue,red\n")
    assert said(data)[0] == ["u: Which?\n(A) one\n(B) two", "a: two"]


def test_columns_a_and_b_without_letters_as_answers_are_no_options(load):
    assert said(load("問題,答案,A,B\nq1,詳見說明,x,y\n")) == [["u: q1", "a: 詳見說明"]]


# Other doors, and what holds always


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_are_read_alike(library):
    frames = pytest.importorskip(library)
    columns = {"case": [1, 1, 2, 2], "role": ["客戶", "客服"] * 2, "text": ["q1", "a1", "q2", "a2"]}
    assert said(ft.Dataset.from_rows(frames.DataFrame(columns))) == [["u: q1", "a: a1"], ["u: q2", "a: a2"]]
    strangers = frames.DataFrame({**columns, "role": ["小美", "阿強"] * 2})
    told = {"小美": "user", "阿強": "assistant"}
    assert said(ft.Dataset.from_rows(strangers, roles=told))[1] == ["u: q2", "a: a2"]


def test_rows_of_jsonl_that_are_turns_are_joined_where_told(load):
    turns = [
        {"case": n, "role": role, "content": f"{role} says {n}"} for n in range(3) for role in ("user", "assistant")
    ]
    text = "".join(json.dumps(turn) + "\n" for turn in turns)
    assert said(load(text, "turns.jsonl", conversation="case"))[2] == ["u: user says 2", "a: assistant says 2"]


texts = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
talks = st.lists(st.lists(st.tuples(texts, texts), min_size=1, max_size=4), min_size=2, max_size=6)


@given(talks, st.booleans())
def test_no_turn_is_lost_or_moved(tmp_path_factory, talks, system):
    """Written a turn a row, each conversation is read as it was."""
    rows = ["conversation_id,role,content"]
    for number, talk in enumerate(talks):
        rows += [f"c{number},system,be kind"] * system
        for asked, answered in talk:
            rows += [f"c{number},user,問了{asked}", f"c{number},assistant,說了{answered}"]
    path = tmp_path_factory.mktemp("talks") / "talks.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    right = [["s: be kind"] * system + [x for q, a in talk for x in (f"u: 問了{q}", f"a: 說了{a}")] for talk in talks]
    assert said(ft.Dataset.load(path)) == right


@pytest.mark.parametrize("word", ["assistant", "content", "answer", "回答", "completion", "問題"])
@pytest.mark.parametrize("speaker", ["user", "客戶"])
def test_a_message_that_is_a_word_of_headers_is_no_header(load, word, speaker):
    other = {"user": "assistant", "客戶": "客服"}[speaker]
    rows = [f"c{n},{speaker},第{n}個怎麼辦\nc{n},{other},照第{n}條辦" for n in range(3)]
    text = "\n".join(["conversation_id,role,content", f"c9,{speaker},{word}\nc9,{other},請說明", *rows])
    assert said(load(text))[0] == [f"u: {word}", "a: 請說明"]
    assert len(said(load(text))) == 4
