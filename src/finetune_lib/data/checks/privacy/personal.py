"""Personal data in texts: addresses, phone numbers and identifiers of Taiwan, China, Hong Kong and elsewhere.

A false alarm costs trust: what has a check digit is checked, what has none needs a word beside it that says what it is,
and values that manuals make up are passed over. Source of the forms: the numbering plans of the national regulators.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from finetune_lib.data.checks.privacy import identifiers
from finetune_lib.data.checks.privacy.detectors import ENDS, FREE, Detector, Found, made_up, preceded, table

MORE_DIGITS = r"(?:[ ().-]{0,2}[0-9]){5,}"  # behind a digit: a number of at least six
BEFORE, BEHIND = 12, 30  # how far a number's letters may stand around its digits
_NUMBER = re.compile(f"[0-9]{MORE_DIGITS}")
# What stands in every match of a detector of numbers without a plus: seven digits, or six or two behind their letters.
_LONG = re.compile(r"[0-9](?:(?:[ ().-]{0,2}[0-9]){6}|(?<=[A-Z].)[0-9]{5}|(?<=[A-Z]{2}.)[0-9])")
_DATE = re.compile(r"(?:19|20)\d\d[-./ ]?(?:0?[1-9]|1[0-2])[-./ ]?(?:0?[1-9]|[12]\d|3[01])(?: \d{1,2})?")
_APART = re.compile(r"[^0-9A-Z]")
_DIGITS = re.compile(r"[^0-9]")

_LOCAL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_+-])?$")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![A-Za-z0-9@])")
# Names that are nobody's: RFC 2606, RFC 6761, and what people write in their place.
_NOBODYS = re.compile(
    r"(?i)(?:^|\.)(?:example(?:\.(?:com|net|org|edu))?|test|invalid|localhost|local|internal)$"
    r"|^(?:e?mail|(?:your-?|my-?)?(?:domain|company|site|website)|abc|xyz|x{3,}|test|demo|sample|foo|bar|\w)\.\w+$"
)
# Addresses of an office and not of a person, and names that stand for any.
_OFFICE = re.compile(
    r"(?i)^(?:admin|billing|booking|careers|contact|cs|customer[._-]?(?:care|service|support)?|enquir(?:y|ies)|feedback"
    r"|git|hello|help|helpdesk|hr|info|inquiry|jobs|legal|mail|marketing|media|news|newsletter|no-?reply|do-?not-?reply"
    r"|office|orders?|postmaster|press|privacy|returns|reservations?|sales|security|services?|support|team|webmaster"
    r"|user(?:name)?\d*|your?[._-]?(?:name|e?mail)|name|some(?:one|body)|first(?:name)?[._-]?last(?:name)?"
    r"|j(?:ohn|ane)?\.?doe|x{3,}|abc|test\d*|foo|bar)$"
)
_PHONE_WORD = re.compile(
    r"(?i)[電电][話话]|手[機机]|行動|聯絡|联系|致[電电]|傳真|传真|phone|mobile|cell|\btel\b|\bcall\b|whatsapp|fax|微信"
)
_HOTLINE = re.compile(
    r"(?i)客服|專線|专线|服[務务][電电][話话]|總機|总机|[熱热][線线]|免付費|[諮咨][詢询]|hotline|service|toll"
)
_COMPANY_WORD = re.compile(r"(?i)[統统]一[編编][號号]|統編|公司編號|稅籍編號|tax id|\bvat\b|\bubn\b")
_SOCIAL_WORD = re.compile(r"(?i)\bssn\b|social security")
_PASSPORT_WORD = re.compile(r"(?i)[護护]照|passport")
_IDENTITY_WORD = re.compile(r"(?i)身[份分][證证]|hkid|identity card|\bid\b")
_HAN = re.compile("[\u3400-\u9fff]")
_TOLL_FREE = ("400", "800", "833", "844", "855", "866", "877", "888", "900")  # 400: of companies in China
_FREE_LINE = re.compile(r"\(?(?:0|\+[1-9]\d{0,2}[ -]?)80[09]")
FICTIONAL = "555"  # the exchange of films and manuals: NANPA


def find(text: str) -> Iterator[Found]:
    """Each piece of personal data; of pieces that overlap the first is the surest."""
    if "@" in text:
        yield from _emails(text)
    if may_hold(text, 0) and (stretches := list(_stretches(text))):
        for detector in numbers():
            for start, end in stretches:
                yield from detector.find(text, start, end)


def may_hold(text: str, first: int) -> bool:
    """Whether a text may hold a number that is personal; none of six digits begins before `first`."""
    return "+" in text or _LONG.search(text, max(0, first - BEFORE)) is not None


@cache
def numbers() -> tuple[Detector, ...]:
    """The detectors of numbers, the surest first."""
    return tuple(
        Detector(
            entry["kind"],
            entry["label"],
            re.compile(f"{FREE}(?:{entry['pattern']}){ENDS}", re.ASCII),
            _HOLDS[name],
            severity=entry.get("severity", "warning"),
        )
        for name, entry in table("personal.toml").items()
        if name in _HOLDS
    )


@cache
def _printed() -> frozenset[str]:
    """Numbers that standards, laws and networks print as examples."""
    return frozenset(table("personal.toml")["printed"]["numbers"])


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """The parts of a text around a number which is no date; parts that would overlap are one."""
    start = end = -1
    for match in _NUMBER.finditer(text):
        if _DATE.fullmatch(match[0]):
            continue
        if match.start() - BEFORE > end:
            if end >= 0:
                yield start, end
            start = max(0, match.start() - BEFORE)
        end = min(len(text), match.end() + BEHIND)
    if end >= 0:
        yield start, end


def _emails(text: str) -> Iterator[Found]:
    place, last = text.find("@"), 0
    while place >= 0:
        local = _LOCAL.search(text, max(last, place - 64), place)
        domain = _DOMAIN.match(text, place + 1)
        if local and domain and not _NOBODYS.search(domain[0]) and not _OFFICE.search(local[0]):
            last = domain.end()
            yield Found(local.start(), last, EMAIL)
        place = text.find("@", place + 1)


def _plain(match: re.Match[str]) -> str:
    return _APART.sub("", match[0].upper())


def _digits(match: re.Match[str]) -> str:
    return _DIGITS.sub("", match[0])


def _is_real(match: re.Match[str]) -> bool:
    return _plain(match) not in _printed() and not made_up(_digits(match))


def _iban(match: re.Match[str]) -> bool:
    plain = _plain(match)
    return 15 <= len(plain) <= 34 and plain not in _printed() and identifiers.iban(plain)


def _taiwan_id(match: re.Match[str]) -> bool:
    right = identifiers.taiwan_old_permit if match[0][1].isalpha() else identifiers.taiwan_id
    return right(match[0])


def _hong_kong_id(match: re.Match[str]) -> bool:
    known = match[0].endswith(")") or preceded(match, _IDENTITY_WORD, within=16)
    return known and identifiers.hong_kong_id(_plain(match))


def _china_mobile(match: re.Match[str]) -> bool:
    named = match[0].startswith("+") or preceded(match, _PHONE_WORD, within=20)
    return (named or _HAN.search(match.string) is not None) and len(set(_digits(match)[-10:])) > 2


def _american_phone(match: re.Match[str]) -> bool:
    digits = _digits(match)[-10:]
    nobodys = FICTIONAL in (digits[:3], digits[3:6]) or digits[:3] in _TOLL_FREE
    return not nobodys and not made_up(digits[2:]) and not preceded(match, _HOTLINE, within=24)


def _hong_kong_phone(match: re.Match[str]) -> bool:
    named = match[0].startswith("+") or ("香港" in match.string and preceded(match, _PHONE_WORD, within=12))
    return named and not made_up(_digits(match)[-8:]) and not preceded(match, _HOTLINE, within=16)


def _taiwan_landline(match: re.Match[str]) -> bool:
    at_home = match[0].startswith("+") or _HAN.search(match.string) is not None
    return (
        at_home
        and not _FREE_LINE.match(match[0])
        and not made_up(_digits(match)[2:])
        and not preceded(match, _HOTLINE, within=16)
    )


def _bare_landline(match: re.Match[str]) -> bool:
    """Without brackets or a hyphen a word must say that it is a phone, or the groups of its digits."""
    grouped = sum(match[0].count(sign) for sign in " -") > 1
    return _taiwan_landline(match) and (grouped or preceded(match, _PHONE_WORD, within=12))


def _eaten_phone(match: re.Match[str]) -> bool:
    """A number whose leading zero a spreadsheet took; only behind a word for phones, or alone in a mobile's form."""
    digits, named = _digits(match), preceded(match, _PHONE_WORD, within=8)
    alone = digits[0] == "9" and len(set(digits)) > 4 and match.string.strip() == match[0]
    return (named or alone) and not made_up(digits) and not preceded(match, _HOTLINE, within=16)


def _foreign_phone(match: re.Match[str]) -> bool:
    digits, before = _digits(match), match.string[: match.start()].rstrip()[-1:]
    sum_or_code = before.isalnum() and before.isascii()
    if _FREE_LINE.match(match[0]):
        return False
    return 10 <= len(digits) <= 15 and not made_up(digits[2:]) and not sum_or_code and f"{FICTIONAL}01" not in digits


def _social_security(match: re.Match[str]) -> bool:
    named = preceded(match, _SOCIAL_WORD, within=40)
    return named and _is_real(match) and identifiers.us_social_security(_digits(match))


def _taiwan_company(match: re.Match[str]) -> bool:
    return preceded(match, _COMPANY_WORD, within=12) and _is_real(match) and identifiers.taiwan_company(match[0])


EMAIL = Detector("e-mail address", "EMAIL", re.compile("@"), lambda _: True)
_HOLDS: Mapping[str, Callable[[re.Match[str]], bool]] = {
    "china_id": lambda match: _plain(match) not in _printed() and identifiers.china_id(match[0]),
    "payment_card": lambda match: identifiers.payment_card(_digits(match)),
    "iban": _iban,
    "taiwan_id": _taiwan_id,
    "hong_kong_id": _hong_kong_id,
    "taiwan_mobile": lambda match: len(set(_digits(match)[-8:])) > 2,
    "china_mobile": _china_mobile,
    "american_phone": _american_phone,
    "hong_kong_phone": _hong_kong_phone,
    "taiwan_landline": _taiwan_landline,
    "bare_landline": _bare_landline,
    "china_landline": _bare_landline,
    "eaten_phone": _eaten_phone,
    "foreign_phone": _foreign_phone,
    "social_security": _social_security,
    "taiwan_company": _taiwan_company,
    "passport": lambda match: preceded(match, _PASSPORT_WORD, within=16) and not made_up(_digits(match)),
}
