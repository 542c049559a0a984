#!/usr/bin/env python3
"""核对补贴申请：申请的每个数字都要能从留痕里算出来。  Check a subsidy claim against its evidence.

    python3 check_claim.py [--english] [verify.py's options]

Stands in a dossier beside claim.json, evidence.json and verify.py. Needs Python 3.8 and nothing else: no
network, no platform. First the evidence is verified (hashes, links, Merkle trees, signatures), then the
claim's sums are computed again, and every line is compared with the verdict, the certificate and the list of
lines that the evidence holds. Exit status 0 when nothing differs.
"""

import hashlib
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

MEANING = {
    "sum": ("人数 × 标准不等于申请金额", "heads times rate is not the amount"),
    "lines": ("各行金额之和不等于申请金额", "the lines do not add up to the amount"),
    "verdict": ("学时与留痕里的考勤结论不一致", "the time differs from the verdict on record"),
    "certificate": ("留痕里没有这张合格证，或已撤销", "no such certificate on record, or it was revoked"),
    "list": ("名单与留痕里拟制的名单不一致", "the list differs from the one on record"),
    "decision": ("核定金额与留痕不一致", "the decided amount differs from the one on record"),
    "figures": ("claim.json 与生成核验包时的摘要不一致", "claim.json is not what the dossier was made with"),
}
WORDS = {
    "passed": (
        "申请核对通过：{lines} 行，{amount} 元，每一行都有留痕。",
        "CLAIM PASSED: {lines} lines, {amount} yuan.",
    ),
    "failed": ("申请核对未通过：{count} 处出入。", "CLAIM FAILED: {count} differences."),
}


def faults_of(claim: dict[str, Any], raw: bytes, entries: list[dict[str, Any]]) -> list[str]:
    """Codes with their line numbers, in order: `sum`, `verdict 7`."""
    found = []
    lines = claim["lines"]
    if Decimal(claim["rate"]) * claim["effective_trainees"] != Decimal(claim["amount"]):
        found.append("sum")
    if len(lines) != claim["effective_trainees"] or sum(Decimal(one["amount"]) for one in lines) != Decimal(
        claim["amount"]
    ):
        found.append("lines")
    at = {entry["seq"]: entry for entry in entries}
    chain = "/".join(claim["subject"].split("/")[:2])
    certificates: dict[str, str] = {}
    for entry in entries:
        if entry["kind"] == "certificate.issued":
            certificates[entry["facts"]["number"]] = entry["subject"]
        elif entry["kind"] == "certificate.revoked":
            certificates.pop(entry["facts"]["number"], None)
    for line in lines:
        trainee = f"{chain}/trainee/{line['enrolment']}"
        verdict = at.get(line["verdict_entry"])
        if (
            verdict is None
            or verdict["hash"] != line["verdict_hash"]
            or verdict["subject"] != trainee
            or verdict["facts"]["passed"] is not True
            or any(
                verdict["facts"][name] != line[name]
                for name in ("credited_microseconds", "required_microseconds")
            )
        ):
            found.append(f"verdict {line['n']}")
        if certificates.get(line["certificate"]) != trainee:
            found.append(f"certificate {line['n']}")
    drawn = last(entries, claim["subject"], ("claim.drawn_up", "claim.redrawn"))
    if drawn is None or drawn["facts"]["lines"] != lines_digest(lines):
        found.append("list")
    decided = last(entries, claim["subject"], ("claim.decided",))
    if (decided["facts"]["amount"] if decided else None) != claim["decided_amount"]:
        found.append("decision")
    made = [
        entry["facts"]["file"]
        for entry in entries
        if entry["kind"] == "claim.dossier_made" and entry["subject"] == claim["subject"]
    ]
    if hashlib.sha256(raw).hexdigest() not in made:
        found.append("figures")
    return found


def last(entries: list[dict[str, Any]], subject: str, kinds: Any) -> dict[str, Any] | None:
    return next(
        (entry for entry in reversed(entries) if entry["kind"] in kinds and entry["subject"] == subject), None
    )


def lines_digest(lines: list[dict[str, Any]]) -> str:
    names = ("n", "enrolment", "credited_microseconds", "certificate", "amount")
    rows = [[line[name] for name in names] for line in lines]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def main() -> int:
    sys.path.insert(0, str(HERE))
    import verify  # type: ignore[import-not-found]

    pick = 1 if "--english" in sys.argv else 0
    evidence_holds = verify.main(sys.argv[1:]) == 0
    try:
        raw = (HERE / "claim.json").read_bytes()
        claim = json.loads(raw)
        entries = json.loads((HERE / "evidence.json").read_text(encoding="utf-8"))["entries"]
        entries = sorted(entries, key=lambda entry: entry["seq"])
        faults = faults_of(claim, raw, entries)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        faults, claim = ["figures"], {"lines": [], "amount": "-"}
    for fault in faults:
        code, _space, line = fault.partition(" ")
        print(f"  {code}{' #' + line if line else ''}: {MEANING[code][pick]}")
    word = WORDS["failed" if faults else "passed"][pick]
    print(word.format(count=len(faults), lines=len(claim["lines"]), amount=claim["amount"]))
    return 0 if evidence_holds and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
