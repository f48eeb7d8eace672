"""Record the behaviour of a client in every case.

    python -m tests.compat.record

With `voyageai==0.5.0` and Pillow installed it writes the official table, with this package what
this one does otherwise. Every such row needs a reason in `differences.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import voyageai

from tests.compat.cases import CASES, Recorder, observe, official
from tests.compat.signatures import names, signature

FOLDER = Path(__file__).parent / "recorded"
OFFICIAL = FOLDER / "official-0.5.0.json"
OURS = FOLDER / "ours.json"
SIGNATURES = FOLDER / "signatures-0.5.0.json"
KINDS = ("Client", "AsyncClient")


def table() -> dict[str, dict[str, Any]]:
    """Return the outcomes of every case for both clients of the installed package."""
    with Recorder().running() as recorder:
        found = {
            name: {kind: official(observe(voyageai, kind, case, recorder)) for kind in KINDS}
            for name, case in CASES.items()
        }
        text = json.dumps(found).replace(recorder.url, "<url>")
    return json.loads(text)


def differing(found: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Return the differences between two outcomes, by aspect.

    Arguments that are not given are not sent rather than sent as null; an exception may be of a
    class below the official one, and say more than it.
    """
    found, expected = json.loads(json.dumps([found, expected]))
    for one in (found, expected):
        for request in one["requests"]:
            if isinstance(request["body"], dict):
                request["body"] = {k: v for k, v in request["body"].items() if v is not None}
    changed = {
        aspect: found.get(aspect)
        for aspect in ("result", "requests", "warnings")
        if found.get(aspect) != expected.get(aspect)
    }
    mine, theirs = found.get("error"), expected.get("error")
    if mine and theirs:
        if theirs["classes"][0] not in mine["classes"]:
            changed["classes"] = mine["classes"]
        if not mine["message"].startswith(theirs["message"]):
            changed["message"] = mine["message"]
        changed |= {
            name: mine[name] for name in ("http_status", "json_body") if mine[name] != theirs[name]
        }
    elif mine != theirs:
        changed["error"] = mine
    return changed


def main() -> None:
    """Write the table for the installed package."""
    found = table()
    path = OURS
    if voyageai.__version__.startswith("0.5.0"):
        path = OFFICIAL
        rows = [f"{json.dumps(name)}: {json.dumps(signature(name))}" for name in names()]
        SIGNATURES.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
    else:
        expected = json.loads(OFFICIAL.read_text(encoding="utf-8"))
        found = {
            name: changed
            for name in found
            if (
                changed := {
                    k: d for k in KINDS if (d := differing(found[name][k], expected[name][k]))
                }
            )
        }
    lines = [f"{json.dumps(name)}: {json.dumps(found[name], ensure_ascii=False)}" for name in found]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(found)} rows in {path.name}")


if __name__ == "__main__":
    main()
