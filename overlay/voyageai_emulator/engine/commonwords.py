"""Words that say little about what a text is about, in two tiers.

The engine has no corpus to learn from, so how much a word tells is a prior: function words of
the larger Latin-script languages count next to nothing, words common in all prose and technical
writing count less than the rest.
"""

from __future__ import annotations

__all__ = ["COMMON", "FUNCTION"]

FUNCTION = frozenset(
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

COMMON = frozenset(
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
"""Frequent in any prose about things, and in technical prose above all."""
