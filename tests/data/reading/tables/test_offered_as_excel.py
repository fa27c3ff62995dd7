"""Files that applications offer as Excel: web pages, the XML of 2003, protected workbooks."""

import zipfile

import pytest
from tests.data.reading.tables.test_shown import OLD, named

import finetune_lib as ft

FILEPASS, WRITE_ACCESS = b"\x2f\x00\x70\x00", b"\x5c\x00\x70\x00"


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def pairs(data):
    return [(example.prompt, example.answer) for example in data]


def refused(path, **options):
    with pytest.raises(ft.ReadError) as caught:
        ft.Dataset.load(path, **options)
    return caught.value.diagnostic


# Web pages

ROWS = (
    "<tr><td>問題<td>答案<tr><td>登機門在哪？<td>二樓<br>服務台旁</td></tr>"
    "<tr><td>A &amp; B？</td><td>  都  可以 </td></tr>"
)


@pytest.mark.parametrize("around", ["<table>{}</table>", "<html><head><title>報表</title></head><body><table>{}"])
def test_a_table_of_a_page_is_read_where_the_name_is_excels(tmp_path, around):
    data = ft.Dataset.load(written(tmp_path, "faq.xls", around.format(ROWS)))
    assert pairs(data) == [("登機門在哪？", "二樓\n服務台旁"), ("A & B？", "都 可以")]
    assert data[0].origin.cells["/completion"] == "Table 1!B2"
    assert [d.args["found"] for d in data.problems if d.code == "E110"] == ["HTML"]


def test_a_golden_set_may_stand_in_a_page(tmp_path):
    golden = ft.GoldenSet.load(written(tmp_path, "golden.xls", f"<table>{ROWS}</table>"))
    assert [(case.messages[-1].content, case.expected) for case in golden][1] == ("A & B？", "都 可以")


def test_a_page_in_big5_is_read(tmp_path):
    data = ft.Dataset.load(written(tmp_path, "faq.xls", f"<table>{ROWS}</table>".encode("cp950")))
    assert pairs(data)[0] == ("登機門在哪？", "二樓\n服務台旁")


def test_the_table_with_a_known_header_is_the_one(tmp_path):
    layout = "<table><tr><td>回首頁</td><td>登出</td></tr></table>"
    data = ft.Dataset.load(written(tmp_path, "faq.xls", f"{layout}<table>{ROWS}</table>"))
    assert len(data) == 2
    two = written(tmp_path, "two.xls", f"<table>{ROWS}</table>" * 2)
    assert refused(two).code == "T257"
    assert len(ft.Dataset.load(two, sheet="Table 2")) == 2


def test_a_table_inside_a_cell_is_a_table_of_its_own(tmp_path):
    data = ft.Dataset.load(
        written(tmp_path, "faq.xls", f"<table><tr><td>{'<table>' + ROWS + '</table>'}</td></tr></table>")
    )
    assert len(data) == 2


def test_spans_hidden_rows_and_struck_texts_of_a_page_are_named(tmp_path):
    head = "<tr><td>問題</td><td>答案</td></tr>"
    spanned = "<tr><td>q</td><td rowspan=2>a</td></tr><tr><td>r</td></tr>"
    hidden = "<tr style='display:none'><td>h</td><td>i</td></tr>"
    struck = (
        "<tr><td>s</td><td><s>舊</s>新</td></tr><tr><td>t</td><td style='text-decoration: line-through'>舊</td></tr>"
    )
    data = ft.Dataset.load(written(tmp_path, "faq.xls", f"<table>{head}{spanned}{hidden}{struck}</table>"))
    assert pairs(data) == [("q", "a"), ("h", "i"), ("s", "舊新"), ("t", "舊")]
    assert named(data) == [("T260", "Table 1!B3"), ("T281", "Table 1!B5"), ("T281", "Table 1!B6")]
    assert ("T263", "Table 1!A4") in named(data, "info")


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("faq.xls", "<html><body>請先登入</body></html>"),
        ("faq.xlsx", f"<html><form><table>{ROWS}</table></form></html>"),
        ("faq.csv", f"<html><table>{ROWS}</table></html>"),
    ],
)
def test_a_page_that_is_no_export_is_refused(tmp_path, name, page):
    assert (refused(written(tmp_path, name, page)).code, refused(tmp_path / name).args["what"]) == ("E111", "HTML")


# The XML of Excel 2003

XML = """<?xml version="1.0" encoding="{encoding}"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:html="http://www.w3.org/TR/REC-html40">
<Styles><Style ss:ID="phone"><NumberFormat ss:Format="0000\\-000\\-000"/></Style>
<Style ss:ID="rate"><NumberFormat ss:Format="Percent"/></Style>
<Style ss:ID="day"><NumberFormat ss:Format="[$-404]e&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@"/></Style>
<Style ss:ID="short"><NumberFormat ss:Format="Short Date"/></Style>
<Style ss:ID="old" ss:Parent="rate"><Font ss:StrikeThrough="1"/></Style></Styles>
<Worksheet ss:Name="問答"><Table><Column/><Column ss:Hidden="1"/>{rows}</Table></Worksheet>
<Worksheet ss:Name="舊"><Table><Row><Cell><Data ss:Type="String">x</Data></Cell></Row></Table>
<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions></Worksheet></Workbook>"""


def xml_row(question, kind, answer, cell="", row=""):
    ask = f'<Cell><Data ss:Type="String">{question}</Data></Cell>'
    return f'<Row{row}>{ask}<Cell{cell}><Data ss:Type="{kind}">{answer}</Data></Cell></Row>'


def xml_workbook(*rows, encoding="UTF-8"):
    return XML.format(rows="".join((xml_row("問題", "String", "答案"), *rows)), encoding=encoding).encode(encoding)


def test_the_xml_of_excel_2003_is_read_as_it_shows(tmp_path):
    content = xml_workbook(
        xml_row("電話？", "Number", "912345678", ' ss:StyleID="phone"'),
        xml_row("利率？", "Number", "0.075", ' ss:StyleID="rate"'),
        xml_row("到期日？", "DateTime", "2026-11-30T00:00:00.000", ' ss:StyleID="day"'),
        xml_row("會議？", "DateTime", "2026-11-30T00:00:00.000", ' ss:StyleID="short"'),
        xml_row("折扣？", "Number", "0.5", ' ss:StyleID="old"'),
        xml_row("開放？", "Boolean", "1", row=' ss:Hidden="1"'),
        xml_row("錯？", "Error", "#REF!"),
        xml_row("行？", "String", "一&#10;二", row=' ss:Index="12"'),
    )
    data = ft.Dataset.load(written(tmp_path, "faq.xls", content))
    assert [answer for _, answer in pairs(data)] == [
        "0912-345-678", "7.50%", "115年11月30日", "2026-11-30", "50.00%", "TRUE", "一\n二",
    ]  # fmt: skip
    assert named(data) == [("T281", "問答!B6"), ("T259", "問答!B8")]
    assert {
        ("T263", "問答!B1"),
        ("T279", "問答!B2"),
        ("T280", "問答!B5"),
        ("T263", "問答!A7"),
        ("T263", "舊!A1"),
    } <= set(named(data, "info"))
    assert data[-1].origin.cells["/completion"] == "問答!B12"


@pytest.mark.parametrize("encoding", ["UTF-16", "BIG5"])
def test_what_the_xml_says_of_its_encoding_does_not_matter(tmp_path, encoding):
    content = xml_workbook(xml_row("登機門在哪裡？", "String", "請到二樓的服務櫃檯詢問。"), encoding=encoding)
    data = ft.Dataset.load(written(tmp_path, "faq.xls", content))
    assert pairs(data) == [("登機門在哪裡？", "請到二樓的服務櫃檯詢問。")]


def test_xml_that_breaks_off_is_named(tmp_path):
    assert refused(written(tmp_path, "faq.xls", xml_workbook()[:-40])).code == "E112"


def test_places_that_are_no_numbers_do_not_matter(tmp_path):
    content = xml_workbook(xml_row("q", "String", "a", ' ss:MergeDown="x"', ' ss:Index="zwei"'))
    assert pairs(ft.Dataset.load(written(tmp_path, "faq.xls", content))) == [("q", "a")]


@pytest.mark.parametrize("number", ["NaN", "INF", "1e999"])
def test_what_is_no_number_stays_text(tmp_path, number):
    content = xml_workbook(xml_row("q", "Number", number, ' ss:StyleID="phone"'))
    assert len(ft.Dataset.load(written(tmp_path, "faq.xls", content))) == 1


def test_other_xml_holds_no_examples(tmp_path):
    assert refused(written(tmp_path, "faq.xls", "<?xml version='1.0'?><rss><channel/></rss>")).code == "E111"


# Protected


def ole(*streams):
    """The start of a compound file with streams of these names."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + b"".join(name.encode("utf-16-le") for name in streams)


def encrypted_document():
    entry = '<m:file-entry m:full-path="content.xml"><m:encryption-data/></m:file-entry>'
    return f'<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{entry}</m:manifest>'


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.xlsx", ole("DataSpaces", "StrongEncryptionDataSpace", "EncryptedPackage"), "a password"),
        ("a.xlsx", ole("DataSpaces", "DRMEncryptedTransform", "EncryptedPackage"), "rights management"),
        ("a.xls", ole("Workbook", "\tDRMContent"), "rights management"),
        ("a.xls", OLD.read_bytes().replace(WRITE_ACCESS, FILEPASS, 1), "a password"),
    ],
)
def test_a_protected_workbook_says_so(tmp_path, name, content, what):
    diagnostic = refused(written(tmp_path, name, content))
    assert (diagnostic.code, diagnostic.args["what"]) == ("E117", what)
    assert "Excel" in diagnostic.hint


def test_a_protected_open_document_says_so(tmp_path):
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", encrypted_document())
        archive.writestr("content.xml", b"\x01\x02")
    assert refused(path).code == "E117"
