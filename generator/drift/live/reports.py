"""The report of a probe, in the formats of other comparisons."""

import json
from collections import Counter
from collections.abc import Callable

from attrs import define, field

from .. import reports
from ..differences import Difference, by_severity
from ..reports import FAILED, status
from .plan import PlannedRequest

CONTRACT = "spec"
SAME = "Nothing differs from the contract."


@define
class ProbeReport:
    """The result of a probe.

    Attributes:
        host: Base URL of the host.
        planned: The planned requests.
        found: Differences, with the names of the requests that showed them.
        unseen: Reasons by names of requests that could not be checked.
        left_behind: Ids of created objects that were not deleted.
        usd: Cost in US dollars, by the tokens that the host counted.
    """

    host: str
    planned: list[PlannedRequest]
    found: dict[Difference, list[str]] = field(factory=dict)
    unseen: dict[str, str] = field(factory=dict)
    left_behind: list[str] = field(factory=list)
    usd: float = 0

    @property
    def differences(self) -> list[Difference]:
        """The differences, most severe first."""
        return by_severity(self.found)

    def status(self, fail_on: str | None) -> int:
        """Return the exit status; `FAILED` if no difference fails but a check was not possible."""
        return status(self.found, fail_on) or (FAILED if self.unseen else 0)


def cost(planned: list[PlannedRequest]) -> float:
    """Return the maximum cost of requests in US dollars."""
    return sum(each.usd for each in planned)


def announcement(host: str, planned: list[PlannedRequest], rpm: float | None) -> str:
    """Return a summary of the requests and their maximum cost."""
    minutes = f", in about {len(planned) / rpm:.0f} minutes" if rpm else ""
    lines = [f"{len(planned)} requests to {host}, at most ${cost(planned):.6f}{minutes}:"]
    for name, count in Counter(each.probe.name for each in planned).items():
        of_probe = [each for each in planned if each.probe.name == name]
        shows = of_probe[0].probe.shows
        lines.append(f"  {count:3} {name}, at most ${cost(of_probe):.6f}. {shows}")
    return "\n".join(lines)


def as_text(seen: ProbeReport) -> str:
    """Return text for a terminal."""
    lines = [reports.as_text(CONTRACT, seen.host, seen.differences, same=SAME), "", _counted(seen)]
    for title, items in _besides(seen):
        lines += ["", title, *(f"  {item}" for item in items)]
    return "\n".join(lines)


def as_markdown(seen: ProbeReport) -> str:
    """Return Markdown for a pull request."""
    differences = seen.differences
    lines = [reports.as_markdown(CONTRACT, seen.host, differences, same=SAME), "", _counted(seen)]
    for title, items in _besides(seen):
        lines += ["", f"<details><summary>{title} ({len(items)})</summary>", ""]
        lines += [f"- {reports.escaped(item)}" for item in items]
        lines += ["", "</details>"]
    return "\n".join(lines)


def as_json(seen: ProbeReport) -> str:
    """Return JSON in the format of other comparisons, with the additional fields of a probe."""
    report = json.loads(reports.as_json(CONTRACT, seen.host, seen.differences))
    for entry, difference in zip(report["differences"], seen.differences, strict=True):
        entry["requests"] = seen.found[difference]
    report |= {
        "requests": len(seen.planned),
        "usd": {"at_most": round(cost(seen.planned), 6), "counted": round(seen.usd, 6)},
        "unseen": [{"request": name, "reason": reason} for name, reason in seen.unseen.items()],
        "left_behind": seen.left_behind,
    }
    return json.dumps(report, indent=2, ensure_ascii=False)


FORMATS: dict[str, Callable[[ProbeReport], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
}


def _counted(seen: ProbeReport) -> str:
    return f"{len(seen.planned)} requests were planned. The cost was ${seen.usd:.6f}."


def _besides(seen: ProbeReport) -> list[tuple[str, list[str]]]:
    titled = [
        ("Seen in", [_seen_in(difference, seen) for difference in seen.differences]),
        ("Could not be checked", [f"{name}: {reason}" for name, reason in seen.unseen.items()]),
        ("Left behind on the host", seen.left_behind),
    ]
    return [(title, items) for title, items in titled if items]


def _seen_in(difference: Difference, seen: ProbeReport) -> str:
    return f"{difference.path}, {difference.kind}: {reports.shortened(seen.found[difference])}"
