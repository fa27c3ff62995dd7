"""A seeded corpus of chats: traditional and simplified Chinese, English, code; a quarter each.

    python benchmarks/corpus.py 100000 corpus.jsonl        # rows
    python benchmarks/corpus.py 8GB corpus.jsonl           # bytes

Half of the messages repeat (system prompts, stock answers), as in real sets; one row in two hundred is an exact
copy of an earlier one.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

HANT = (
    "請問貨物到達之後幾天內可以辦理退換服務 我們會於收件完成確認無誤並將款項退回原來使用的帳戶 登機門於起飛前十五分鐘關閉 "
    "旅客應提早兩個半小時抵達機場辦理報到手續與託運行李 若航班延誤超過四小時將提供餐點以及住宿安排 資料庫連線逾時通常代表網路設定錯誤 "
    "這部電影節奏明快而且演員表現令人印象深刻 醫師建議每日飲水兩千毫升並保持規律運動習慣 合約期滿前三十日以書面通知對方即可終止"
).split()
HANS = (
    "请问货物到达之后几天内可以办理退换服务 我们会在收件完成确认无误并将款项退回原来使用的账户 登机口在起飞前十五分钟关闭 "
    "旅客应提前两个半小时抵达机场办理值机手续与托运行李 如果航班延误超过四小时将提供餐食以及住宿安排 数据库连接超时通常代表网络设置错误 "
    "这部电影节奏明快而且演员表现令人印象深刻 医生建议每日饮水两千毫升并保持规律运动习惯 合同期满前三十日以书面通知对方即可终止"
).split()
ENGLISH = (
    "the boarding gate closes fifteen minutes before departure please arrive at the airport two hours early to check in "
    "your baggage refunds are paid to the original account within seven working days of receiving the parcel unless the "
    "contract states otherwise a database connection that times out usually points to a wrong network setting drink enough "
    "water and keep a regular schedule of exercise this film moves quickly and its actors leave a lasting impression"
).split()
CODE = (
    "def total(items):|    return sum(item.price for item in items)|for key, value in sorted(table.items()):|"
    "    print(f'{key:>12} {value:8.2f}')|if response.status_code != 200:|    raise RuntimeError(response.text)|"
    "SELECT name, count(*) FROM orders GROUP BY name HAVING count(*) > 3;|const rows = await db.all(query, [id, limit]);"
).split("|")
SYSTEMS = {
    "hant": "你是桃園機場的智慧客服。只回答與機場服務有關的問題，語氣親切，答案不超過一百五十字；不確定時請旅客洽詢服務臺。",
    "hans": "你是商城的智能客服。只回答与订单、物流、退换货有关的问题，语气亲切，答案不超过一百五十字；不确定时请用户联系人工客服。",
    "en": "You are a helpful assistant of an online shop. Answer in two or three sentences, politely, and never invent prices.",
    "code": "You are a senior programmer. Answer with short, tested code and one sentence that explains the idea behind it.",
}
COMMA = {"hant": "，", "hans": "，", "en": " ", "code": "\n"}
WORDS = {"hant": HANT, "hans": HANS, "en": ENGLISH, "code": CODE}
STOCK = 200


def text(rng: random.Random, kind: str, size: int) -> str:
    """About `size` characters of one kind, never twice the same."""
    words = WORDS[kind]
    pieces: list[str] = []
    length = 0
    while length < size:
        word = rng.choice(words)
        if kind in ("hant", "hans"):
            start = rng.randrange(max(1, len(word) - 4))
            word = word[start : start + rng.randint(3, 12)]
        pieces.append(word)
        length += len(word) + 1
    return COMMA[kind].join(pieces) + f" {rng.randrange(10**6)}"


def row(rng: random.Random, stock: dict[str, list[str]]) -> dict[str, object]:
    """One chat of one to three exchanges."""
    kind = rng.choice(tuple(WORDS))
    messages = [{"role": "system", "content": SYSTEMS[kind]}]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        messages.append({"role": "user", "content": text(rng, kind, rng.randint(20, 160))})
        answer = rng.choice(stock[kind]) if rng.random() < 0.35 else text(rng, kind, rng.randint(120, 480))
        messages.append({"role": "assistant", "content": answer})
    return {"messages": messages}


def lines(seed: int = 7) -> Iterator[bytes]:
    """Rows without end, as lines of JSONL."""
    rng = random.Random(seed)
    stock = {kind: [text(rng, kind, rng.randint(150, 500)) for _ in range(STOCK)] for kind in WORDS}
    recent: list[bytes] = []
    while True:
        if recent and rng.random() < 0.005:
            yield rng.choice(recent)
            continue
        line = json.dumps(row(rng, stock), ensure_ascii=False).encode() + b"\n"
        recent = [*recent[-99:], line]
        yield line


def write(path: Path, size: str) -> None:
    """Write so many rows, or so many gigabytes."""
    rows, limit = (None, float(size[:-2]) * 1e9) if size.endswith("GB") else (int(size), float("inf"))
    written = 0
    with path.open("wb") as file:
        block: list[bytes] = []
        for number, line in enumerate(lines()):
            if number == rows or written > limit:
                break
            if rows is None and number == 200_000:  # beyond, the same rows with another mark: faster to make
                block = list(_kept(path, file))
                written += _repeat(file, block, int(limit - written))
                break
            file.write(line)
            written += len(line)


def _kept(path: Path, file: object) -> Iterator[bytes]:
    file.flush()  # type: ignore[attr-defined]
    with path.open("rb") as again:
        yield from again


def _repeat(file: object, block: list[bytes], limit: int) -> int:
    written = copy = 0
    while written < limit:
        copy += 1
        mark = f" [{copy}]".encode()
        changed = b"".join(line[:-5] + mark + line[-5:] for line in block)
        written += file.write(changed)  # type: ignore[attr-defined]
    return written


if __name__ == "__main__":
    write(Path(sys.argv[2]), sys.argv[1])
