"""Writes faq.xlsx, a sheet as offices have them, and faq_big5.csv, as Excel in Taiwan saves it; needs openpyxl."""

from datetime import date
from pathlib import Path

from openpyxl import Workbook

HERE = Path(__file__).parent
HEADER = ["類別", "問題", "回答", "更新日期", "備註"]
# A category stands once, in a cell merged over its rows.
ROWS = [
    ["登機", "幾點開始登機？", "起飛前 40 分鐘開始登機，起飛前 10 分鐘關閉登機門。", date(2026, 3, 2), None],
    [None, "登機證不見了怎麼辦？", "請到航空公司櫃檯補發，不收費用。", date(2026, 3, 2), None],
    [None, "可以提早幾小時報到？", "國際線起飛前 3 小時開放報到，國內線 1 小時。", date(2026, 3, 2), None],
    ["行李", "經濟艙行李可以帶幾公斤？", "託運行李 23 公斤，手提行李 7 公斤。", date(2026, 3, 9), None],
    [None, "行動電源可以託運嗎？", "不可以，行動電源請隨身攜帶。", date(2026, 3, 9), "已確認"],
    [None, "液體可以帶多少？", "每瓶 100 毫升以下，全部裝進一個 1 公升的透明袋。", date(2026, 3, 9), None],
    [None, "行李遺失要找誰？", None, None, "待補"],
    [None, "帶寵物要先申請嗎？", "要，請在出發 48 小時前向航空公司預約。", date(2026, 3, 9), None],
    ["交通", "怎麼去台北車站？", "搭機場捷運直達車，約 35 分鐘。", date(2026, 4, 1), None],
    [None, "停車一天多少錢？", "每小時 30 元，當日最高 490 元。", date(2026, 4, 1), None],
    [None, "最後一班捷運是幾點？", "往台北的末班車是 23:37。", date(2026, 4, 1), None],
    [None, "叫車要打哪支電話？", "請撥 0927-481-365，24 小時都有人接聽。", date(2026, 4, 1), "陳先生手機"],
    ["服務", "哪裡可以換外幣？", "第一航廈與第二航廈入境大廳的銀行櫃檯。", date(2026, 4, 7), None],
    [None, "哪裡可以換外幣?", "出境大廳的兌幣所。", date(2025, 1, 15), None],
    [None, "哪裡可以辦退稅？", "出境報到大廳的退稅服務檯。", date(2026, 4, 7), None],
    [None, "有沒有免費的無線網路？", "有，選擇 Airport Free Wi-Fi，不需要密碼。", date(2026, 4, 7), None],
    [None, "有沒有免費的無線網路？", "有，選擇 Airport Free Wi-Fi，不需要密碼。", date(2026, 4, 7), None],
]
MERGED = ["A1:E1", "A3:A5", "A6:A10", "A11:A14", "A15:A19"]


def workbook() -> Workbook:
    """A title over the table, merged cells, and a second sheet with data of last year."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "客服問答"
    sheet.append(["機場客服常見問答（2026 年版，客服部維護）"])
    for row in [HEADER, *ROWS]:
        sheet.append(row)
    for cells in MERGED:
        sheet.merge_cells(cells)
    old = book.create_sheet("2025舊版")
    for row in [["問題", "回答"], ["幾點開始登機？", "起飛前 30 分鐘。"], ["停車一天多少錢？", "當日最高 450 元。"]]:
        old.append(row)
    return book


def csv() -> bytes:
    """Question and answer as Big5; one answer has a comma without quotes around it."""
    lines = [f"{question},{answer}" for _, question, answer, *_ in ROWS[:14] if answer]
    return ("\r\n".join(["問題,回答", *lines, "哪裡可以寄信？,二樓,郵局旁的郵筒。"]) + "\r\n").encode("cp950")


if __name__ == "__main__":
    workbook().save(HERE / "faq.xlsx")
    (HERE / "faq_big5.csv").write_bytes(csv())
