"""All that is known of a format stands in its own file and in one list; a new one needs no more than these."""

import ast
import json
import os
import shutil
import subprocess
import sys
from typing import get_args

from tests.files import ROOT

from finetune_lib.data.formats.known import FORMATS, FormatName

SOURCE = ROOT / "src"
FOLDER = SOURCE / "finetune_lib" / "data" / "formats"
TOY = '''
"""Rows that ask and answer in one text, `question => answer`."""

from finetune_lib.data.formats.format import Format, Shape, Sign
from finetune_lib.data.formats.rows import Translated


def read(data):
    asked, answered = data["arrow"].split(" => ")
    return Translated({"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]})


def write(data, kind):
    asked, answered = (message["content"] for message in data["messages"])
    return {"arrow": f"{asked} => {answered}"}


TOY = Format("toy", shapes=(Shape("toy", read=read, alone=Sign(("arrow",), bool)),), write=write)
'''
USE = """
import sys
import finetune_lib as ft
data = ft.Dataset.load(sys.argv[1])
print(data[0].dialect, *(message.text for message in data[0].messages))
print(data.to_rows(format="toy"))
"""


def test_a_new_format_is_one_file_and_its_place_in_the_list(tmp_path):
    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    folder = tmp_path / "src" / "finetune_lib" / "data" / "formats"
    (folder / "toy.py").write_text(TOY, encoding="utf-8")
    known = (folder / "known.py").read_text(encoding="utf-8")
    listed = known.replace("    trl,\n", "    toy,\n    trl,\n").replace(
        "    trl.TRL,\n", "    trl.TRL,\n    toy.TOY,\n"
    )
    (folder / "known.py").write_text(listed, encoding="utf-8")
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"arrow": "問 => 答"}) + "\n", encoding="utf-8")
    where = {**os.environ, "PYTHONPATH": str(tmp_path / "src"), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", USE, rows], capture_output=True, text=True, check=True, env=where, encoding="utf-8"
    )
    assert done.stdout.split("\n")[:2] == ["toy 問 答", "[{'arrow': '問 => 答'}]"]


def test_each_dialect_is_named_in_one_module():
    names = [name for known in FORMATS for name in (known.name, *(shape.name for shape in known.shapes))]
    compound = {name for name in names if "-" in name}  # "text" and "openai" are words of other things too
    trees = {file.name: ast.parse(file.read_text(encoding="utf-8")) for file in FOLDER.glob("*.py")}
    homes = {
        name: {
            file
            for file, tree in trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and node.value == name
        }
        for name in compound
    }
    assert compound
    assert {name: files for name, files in homes.items() if len(files) != 1} == {}


def test_no_two_formats_or_shapes_share_a_name():
    names = [known.name for known in FORMATS]
    shapes = [shape.name for known in FORMATS for shape in known.shapes]
    assert (len(names), len(shapes)) == (len(set(names)), len(set(shapes)))


def test_the_type_of_a_written_format_names_them_all():
    assert {known.name for known in FORMATS if known.write} == set(get_args(FormatName))
