"""In which encoding a file was written: decided by rule and evidence, and left open where the evidence is thin.

Strict UTF-8 comes first. Bytes that are none are decoded strictly in each encoding that Chinese, Japanese, Korean
and Western software writes, and the readings are compared by `likelihood`. Names are those of the wider tables that
Windows has under the old names: `cp950` for Big5, `gb18030` for GB 2312 and GBK, `cp932` for Shift JIS, `cp949` for
EUC-KR (WHATWG Encoding, section 4.2, maps the labels in the same way).
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from finetune_lib.data.diagnostics import Diagnostic, diagnose, quote
from finetune_lib.data.reading.bytes.likelihood import ASCII, NOT_ASCII, cost
from finetune_lib.records import Origin

LEGACY = ("cp950", "big5hkscs", "gb18030", "cp932", "euc_jp", "cp949", "cp1252")
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
PEOPLES_NAMES = ("Big5", "Big5-HKSCS", "GBK", "Shift JIS", "EUC-JP", "EUC-KR", "Windows Latin")
KNOWN_AS: Mapping[str, str] = dict(zip(LEGACY, PEOPLES_NAMES, strict=True))
WIDER = {
    "big5": "cp950",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "utf-8-sig": "utf-8",
}
SELDOM = {"cp932": 3.0, "cp949": 3.0, "euc_jp": 8.0}  # how much less a Japanese or Korean file is expected here
CLEAR = 6.0  # nats: the second reading would have to be e^6 times likelier a priori
PLAUSIBLE = 10.0  # the mean cost of a character outside ASCII that real text stays below
SLACK = 3.0
FEW_STRAY = 8
VOTERS = 4  # one line in so many has to show its encoding
TELLING_LINES = 400
TELLING_BYTES = 1 << 18
EXAMINED = 1 << 16
PREVIEW = 32
BORDERS = '"\t,\n'
STRAYS = re.compile("[\udc80-\udcff]")
WHOLE = re.compile("[^\\x00-\\x7f\udc80-\udcff]")
SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read bytes.

    Attributes:
        encoding: The name for `encoding=`.
        text: What they say in it.
        cost: How unlikely that is; less is likelier.
    """

    encoding: str
    text: str
    cost: float

    @property
    def plausible(self) -> bool:
        """Whether the text, taken alone, could have been written by people."""
        foreign = len(NOT_ASCII.findall(self.text))
        return self.cost - ASCII * (len(self.text) - foreign) <= PLAUSIBLE * foreign + SLACK

    def __str__(self) -> str:
        return f"{name(self.encoding)} 「{preview(self.text)}」"


@dataclass(frozen=True, slots=True)
class Detected:
    """What was found about a file's encoding.

    Attributes:
        encoding: Its name, with single lines left that are not in it; None where the evidence does not decide.
        rivals: The readings that fit about equally, where it does not.
    """

    encoding: str | None
    rivals: tuple[Reading, ...] = ()


def name(encoding: str) -> str:
    """An encoding's name with the one people know it by: `cp950 (Big5)`."""
    known = KNOWN_AS.get(encoding)
    return f"{encoding} ({known})" if known else encoding.upper().replace("-LE", "LE").replace("-BE", "BE")


def codec(encoding: str) -> str:
    """The codec for an encoding's name, the wider one where the name is an old one.

    Raises:
        LookupError: There is no such text encoding.
    """
    " ".encode(encoding)  # refuses codecs that are not about text
    found = codecs.lookup(encoding).name
    return WIDER.get(found, found)


def preview(text: str) -> str:
    """A short piece of a text around its first character outside ASCII, up to the quotes it stands in."""
    found = NOT_ASCII.search(text)
    start = found.start() if found else 0
    lead = text[max(0, start - PREVIEW // 4) : start]
    lead = lead[max(lead.rfind(border) for border in BORDERS) + 1 :]
    piece = lead + text[start : start + PREVIEW].split(BORDERS[0])[0]
    return " ".join(piece.splitlines()).strip()


def detect(sample: bytes) -> Detected:
    """The encoding of a file by a sample of whole lines."""
    if b"\0" in sample and (wide := _wide(sample)):
        return Detected(wide)
    if is_utf8(sample) or is_utf8(SURROGATE.sub(b"", sample)):
        return Detected("utf-8")
    lines = _telling(sample)
    others = [line for line in lines if not _speaks_utf8(line)]
    if len(lines) >= 2 * len(others):
        return Detected("utf-8")
    together = b"\n".join(others)
    found = readings(together)
    if _is_clear(found, together):
        return Detected(found[0].encoding)
    return _by_majority(others) or _undecided(together, found)


def is_utf8(raw: bytes) -> bool:
    """Whether bytes are valid UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def readings(raw: bytes) -> Sequence[Reading]:
    """Every legacy encoding that bytes are valid in, likeliest first; one of each text."""
    found: dict[str, Reading] = {}
    for encoding in LEGACY:
        if (text := _decoded(raw, encoding)) is not None:
            found.setdefault(text, Reading(encoding, text, cost(text, encoding) + SELDOM.get(encoding, 0.0)))
    return sorted(found.values(), key=lambda reading: reading.cost)


def likeliest(line: bytes) -> str | None:
    """The one encoding of a line that the evidence shows; None where it shows none."""
    if _speaks_utf8(line):
        return "utf-8"
    found = readings(line)
    return found[0].encoding if _is_clear(found, line) else None


def is_foreign(line: bytes, text: str, encoding: str) -> bool:
    """Whether a line of a file is in another encoding than the file, which reads it as this text."""
    own = cost(text, encoding)
    if is_utf8(line) and _cost_as_utf8(line) + 1.5 * CLEAR <= own:
        return True
    return any(r.encoding != encoding and r.plausible and r.cost + 1.5 * CLEAR <= own for r in readings(line))


def reads(line: bytes) -> str:
    """What a line says in the encodings that fit it, for people; with gaps where none does."""
    if is_utf8(line):
        return str(Reading("utf-8", line.decode(), 0))
    found = [reading for reading in readings(line) if reading.cost < _cost_as_utf8(line)]
    close = [str(reading) for reading in found if reading.cost < found[0].cost + CLEAR]
    return " / ".join(close) or str(Reading("utf-8", line.decode("utf-8", "replace"), 0))


def contrasted(rivals: Sequence[Reading], line: bytes) -> tuple[str, str]:
    """What rivals read where they first differ, and what to pass for each."""
    if not rivals:
        return reads(line), 'encoding="…"'
    texts = [reading.text for reading in rivals]
    same = next((place for place, found in enumerate(zip(*texts, strict=False)) if len(set(found)) > 1), 0)
    pieces = [Reading(reading.encoding, reading.text[max(0, same - PREVIEW // 4) :], 0) for reading in rivals]
    return " / ".join(map(str, pieces)), " / ".join(f'encoding="{reading.encoding}"' for reading in rivals)


def undecodable(raw: bytes, origin: Origin) -> Diagnostic:
    """Why a line is not UTF-8, with what it would say in the encodings that fit it.

    Args:
        raw: The line's bytes; they are not valid UTF-8.
        origin: The line.
    """
    line = raw[:EXAMINED]
    try:
        line.decode()
        line = raw
        raw.decode()
    except UnicodeDecodeError as error:
        return _explained(line, error, origin)
    raise ValueError("these bytes are valid UTF-8")


def _explained(line: bytes, error: UnicodeDecodeError, origin: Origin) -> Diagnostic:
    before = line[: error.start].decode()
    column = len(before) + 1
    if SURROGATE.match(line, error.start):
        character = line[error.start : error.start + 3].decode("utf-8", "surrogatepass")
        return diagnose("E108", origin, character=f"\\u{ord(character):04x}")
    if error.reason == "unexpected end of data" and len(line) < EXAMINED:
        return diagnose("E112", origin, what="UTF-8")
    text = line.decode("utf-8", "replace")
    shown = quote(text, column - 1)
    byte, says = line[error.start], reads(line)
    return diagnose("E114", origin, quote=shown, byte=byte, column=column, encoding="UTF-8", readings=says)


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(raw, final=len(raw) != EXAMINED)
    except UnicodeDecodeError:
        return None


def _cost_as_utf8(raw: bytes) -> float:
    """What bytes cost as UTF-8, each one that is none as a stray byte."""
    return cost(_escaped(raw), "utf-8")


def _is_clear(found: Sequence[Reading], raw: bytes) -> bool:
    if not found or not found[0].plausible or found[0].cost >= _cost_as_utf8(raw):
        return False
    return all(found[0].cost + (CLEAR if other.plausible else CLEAR / 2) <= other.cost for other in found[1:])


def _speaks_utf8(line: bytes) -> bool:
    """Whether a line holds real UTF-8 text: not only by chance, and even where single bytes of it are broken."""
    text = _escaped(line)
    if not WHOLE.search(text):
        return False
    found = readings(line)
    return not found or cost(text, "utf-8") + CLEAR <= found[0].cost


def _telling(sample: bytes) -> Sequence[bytes]:
    """Some distinct lines that are more than ASCII: such that are not UTF-8, and such that are."""
    foreign = list(dict.fromkeys(line[:EXAMINED] for line in sample.split(b"\n") if not line.isascii()))
    return [*_some(line for line in foreign if not is_utf8(line)), *_some(line for line in foreign if is_utf8(line))]


def _some(lines: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for line in islice(lines, TELLING_LINES):
        yield line
        size += len(line)
        if size > TELLING_BYTES:
            return


def _by_majority(lines: Sequence[bytes]) -> Detected | None:
    """The encoding of most lines that show one, where no encoding fits all of them."""
    votes = Counter(vote for line in lines if (vote := likeliest(line)))
    if votes.total() * VOTERS < len(lines):
        return None
    return Detected(votes.most_common(1)[0][0])


def _undecided(raw: bytes, found: Sequence[Reading]) -> Detected:
    if found and found[0].plausible and found[0].cost < _cost_as_utf8(raw):
        return Detected(None, tuple(reading for reading in found if reading.cost < found[0].cost + CLEAR))
    stray = len(STRAYS.findall(_escaped(raw)))
    return Detected("utf-8") if stray <= FEW_STRAY else Detected(None, tuple(found[:2]))


def _escaped(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _wide(sample: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: where that reads better than bytes with NUL among them."""
    head = sample[:EXAMINED]
    costs = {"utf-8": _cost_as_utf8(head)}
    for encoding in WIDE:
        try:
            costs[encoding] = cost(codecs.getincrementaldecoder(encoding)().decode(head), encoding)
        except UnicodeDecodeError:
            continue
    best = min(costs, key=lambda encoding: costs[encoding])
    return best if best != "utf-8" and costs[best] + 3 * CLEAR <= costs["utf-8"] else None
