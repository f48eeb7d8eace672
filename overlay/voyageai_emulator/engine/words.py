"""Split texts into tokens, and tokens into weighted terms.

A *token* is a run of letters and digits, a *term* a case-folded word: ``read_lines``, ``readLines``
and ``readlines`` share the term ``readlines``, and the first two give ``read`` and ``lines`` too.
Scripts that are written without spaces give pairs of characters.

There is no corpus to count terms in, so a term's weight is a prior that depends on the term alone:
function words of the major Latin-script languages weigh almost nothing, words common in prose and
technical writing less than others, and short words less than long ones.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["single_byte_letters", "terms_of", "tokenize", "weight_of"]

_TOKEN = re.compile(r"\w+|[\u2190-\u2bff\U0001f000-\U0001faff]")
_ASCII_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PART = re.compile(r"[^\W\d_]+|\d+")
_SPACELESS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff]+"
)


def tokenize(text: str) -> list[str]:
    """Return the tokens of a text in reading order; its characters if it has no word."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _TOKEN.findall(text) or list(text)


def terms_of(token: str) -> list[str]:
    """Return the terms of a token: its parts, then the whole token.

    >>> terms_of("BaseHTTPServer")
    ['base', 'http', 'server', 'basehttpserver']
    """
    if token.isascii():
        if token.islower() and token.isalpha():
            return [token]
        parts = _ASCII_PART.findall(token)
    else:
        parts = _PART.findall(token)
        if _SPACELESS.search(token):
            return [term for part in parts for term in _character_pairs(part)] or [token]
    folded = [part.casefold() for part in parts]
    if len(folded) == 1:
        return folded
    return [*folded, "".join(folded)] if folded else [token]


def weight_of(term: str) -> float:
    """Return the weight of a term: about 1 for a word of average length."""
    if term in FUNCTION_WORDS:
        return 0.05
    weight = {1: 0.25, 2: 0.4, 3: 0.75, 4: 0.9}.get(len(term), 1.0 if len(term) < 8 else 1.1)
    if not term.isascii() and _SPACELESS.search(term):
        return 0.8
    return weight * 0.6 if term in COMMON_WORDS else weight


def single_byte_letters(term: str) -> bytes:
    """Return a term as one byte per character, without accents, for its n-grams."""
    if term.isascii():
        return term.encode("ascii")
    plain = "".join(c for c in unicodedata.normalize("NFKD", term) if not unicodedata.combining(c))
    return bytes(ord(c) if c < "\x7f" else 128 + ord(c) * 31 % 128 for c in plain)


def _character_pairs(part: str) -> list[str]:
    if len(part) < 2:
        return [part]
    return [part[i : i + 2] for i in range(len(part) - 1)]


FUNCTION_WORDS = frozenset(
    """
    a about after again al all also although am among an and another any ao are as at au aux
    avec be because been before being between both but by can ce ces cette che com con could da
    dans das de dei del della dem den der des di did die do does doing done dos down du during
    e each ein eine einem einen einer eines either el ella elle else em en entre er es est esta
    este et ever every for from fue further für gli had has have having he her here hers him
    his how however i ich if il ils im in instead into is ist it its itself je just la las le
    les let leur lo los mais may me might mine mit more most much must muy my más na nas ne
    neither nel nicht no non nor nos not nous now não o oder of off on once one only onto or os
    other others ou ought our ours out over own par para pas pela pelo per pero più por pour
    que qui rather s sa same se sem ses shall she should si sich sie sin since sind so some son
    sono sont su sua such sur sus t than that the their theirs them then there these they this
    those though through thus to too two um uma un una und under une unless until up upon us
    very via von vous was we were what when where whether which while who whom whose why wie
    will wir with within without would y yes yet you your yours zu zum zur über
    """.split()  # noqa: SIM905  # words read better without quotes
)
"""Articles, pronouns, prepositions, auxiliaries."""

COMMON_WORDS = frozenset(
    """
    able add allow allows appropriate argument arguments available back base based become begin
    big call called calls case cases cause certain change changes class code come common
    contain containing contains correct create created creates current currently data day
    default defaults defined describe different don empty end error errors etc even example
    exception expected false few file files find first following form format found full
    function functions get gets getting give given gives giving go good great handle help high
    include included includes including indicate indicates information instance int internal
    key kind know known large last later least left less like line list little long look made
    main make makes making many mean means method methods module name named names need needed
    needs new next none normally note number numbers object objects obtain old open option
    optional order original otherwise parameter parameters part parts pass passed people
    perform place please point possible present previous produce program provide provided
    provides put python raise raised raises read related represent representing represents
    require required result results return returned returning returns right run running said
    say see self set sets several show similar simple simply single size small something
    special specific specified specify start state still str string strings support supported
    supports sure system take taken takes tell term test text thing things think three time
    true try tuple turn type types use used user uses using usually value values variable want
    way well work works world write year
    """.split()  # noqa: SIM905  # words read better without quotes
)
"""Words frequent in prose, above all in technical prose."""
