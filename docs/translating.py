"""Pages in other languages: prose by hand in 繁體中文, blocks from the English page, 简体中文 by rule and glossary.

A page of docs/zh-Hant has the headings and fences of its English page in their order. What stands in its fences is
written here from the English ones, so that commands and figures cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import opencc

DOCS = Path(__file__).parent
ROOT = DOCS.parent
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ ", re.MULTILINE)
LANGUAGES = re.compile(r"繁体中文 · \[简体中文\]\(([^)]*)\)")  # the line of a page that names them
MARK = "\ue000"
# What the field says in China where the rule would say something else.
GLOSSARY = {
    "试算表": "电子表格",
    "相容": "兼容",
    "金钥": "密钥",
    "每一列": "每一行",
    "任何一列": "任何一行",
    "标题列": "标题行",
    "各列": "各行",
    "一列训练": "一行训练",
    "第二列": "第二行",
    "显示卡": "显卡",
    "回馈": "反馈",
    "萤幕": "屏幕",
    "磁碟": "磁盘",
    "信赖区间": "置信区间",
    "检定": "检验",
    "丛集": "集群",
    "巢状": "嵌套",
    "透过": "通过",
    "物件": "对象",
    "建立": "创建",
    "微调工作": "微调任务",
    "训练工作": "训练任务",
    "工作物件": "任务对象",
    "资料": "数据",
    "范例": "样本",
    "储存库": "仓库",
    "行程": "进程",
    "附加套件": "附加包",
    "套件": "软件包",
    "用户端": "客户端",
    "命令列": "命令行",
    "指令": "命令",
    "位元组": "字节",
    "协定": "协议",
    "栏位": "字段",
    "函式": "函数",
    "程式库": "库",
    "程式码": "代码",
    "程式": "程序",
    "资料夹": "文件夹",
    "伺服器": "服务器",
    "网路": "网络",
    "预设": "默认",
    "储存格": "单元格",
    "当机": "崩溃",
    "载入": "加载",
    "执行": "运行",
    "字元": "字符",
    "档案": "文件",
    "使用者": "用户",
    "讯息": "消息",
    "资讯": "信息",
    "软体": "软件",
}


def pages() -> Iterator[tuple[Path, str]]:
    """Each translated page as it is to be: its path and its text."""
    for source in [ROOT / "README.zh-Hant.md", *sorted((DOCS / "zh-Hant").rglob("*.md"))]:
        traditional = with_blocks(source.read_text(encoding="utf-8"), english_of(source).read_text(encoding="utf-8"))
        yield source, traditional
        yield Path(str(source).replace("zh-Hant", "zh-Hans")), simplified(traditional)


def english_of(page: Path) -> Path:
    """The English page of a translated one."""
    if page.parent == ROOT:
        return ROOT / "README.md"
    _language, *rest = page.relative_to(DOCS).parts
    return DOCS.joinpath(*rest)


def with_blocks(text: str, english: str) -> str:
    """The page with the fences of the English one.

    Raises:
        ValueError: It has another number of them, or of headings.
    """
    blocks = [found[0] for found in FENCE.finditer(english)]
    here = len(FENCE.findall(text))
    title = text.partition("\n")[0]
    if here and here != len(blocks):
        raise ValueError(f"{title}: it has {here} blocks, the English page {len(blocks)}")
    if here and len(HEADING.findall(FENCE.sub("", text))) != len(HEADING.findall(FENCE.sub("", english))):
        raise ValueError(f"{title}: it has other headings than the English page")
    left = iter(blocks)
    return FENCE.sub(lambda _: next(left), text)


def simplified(text: str) -> str:
    """The page in the other script and the words of China; blocks stay as they are, and links lead to its own pages."""
    blocks = iter([found[0] for found in FENCE.finditer(text)])
    prose = opencc.OpenCC("tw2s").convert(FENCE.sub(MARK, text))
    for word in sorted(GLOSSARY, key=len, reverse=True):
        prose = prose.replace(word, GLOSSARY[word])
    prose = prose.replace("zh-Hant", "zh-Hans")
    prose = LANGUAGES.sub(lambda found: f"繁體中文]({found[1].replace('zh-Hans', 'zh-Hant')}) · 简体中文", prose)
    return re.sub(MARK, lambda _: next(blocks), prose.replace(" · 繁體中文]", " · [繁體中文]"))
