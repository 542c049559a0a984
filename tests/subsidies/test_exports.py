"""The table for the offices, and the dossier that proves a claim without this platform."""

import datetime
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from accounts.models import User
from audit.models import Entry
from config.demo.cast import Cast
from policy.refusals import Refusal
from subsidies.actions.claims import decide_claim, redraw_claim
from subsidies.actions.exports import make_dossier, take_export, write_export
from subsidies.models import Claim, PublicNotice
from tests.subsidies.conftest import LEARNER_SECONDS, ClassMaker

pytestmark = pytest.mark.django_db


# --- the table ---


@pytest.fixture
def exported(maker: ClassMaker, cast: Cast, manager: User, now: datetime.datetime) -> Claim:
    from subsidies.actions.claims import draw_up_claim

    people = cast.trainees(3)
    people[1].name = '=HYPERLINK("http://x","陈")'
    people[1].save()
    finished = maker.finish(maker.make(people=people))
    claim = draw_up_claim(actor=manager, training_class=finished, at=now)
    return write_export(claim_id=claim.pk, at=now)


def rows(claim: Claim, sheet: str) -> list[dict[str, Any]]:
    with claim.export.open("rb") as file:
        book = load_workbook(io.BytesIO(file.read()))
    head, *body = book[sheet].iter_rows()
    return [{str(title.value): cell for title, cell in zip(head, row, strict=True)} for row in body]


def test_cells_are_text_or_numbers_and_never_formulas(exported: Claim):
    for sheet in ("申请表", "申请明细", "学时"):
        for row in rows(exported, sheet):
            assert {cell.data_type for cell in row.values()} <= {"s", "n"}
    lines = rows(exported, "申请明细")
    assert len(lines) == 3
    for row in lines:
        assert (row["身份证号"].data_type, row["身份证号"].number_format) == ("s", "@")
        assert len(row["身份证号"].value) == 18
        assert (row["金额（元）"].data_type, row["金额（元）"].value) == ("n", 200)
        assert row["考试成绩"].value == 86
    assert '=HYPERLINK("http://x","陈")' in [row["姓名"].value for row in lines]


def test_the_front_sheet_says_what_is_claimed_and_under_which_root(exported: Claim):
    front = {row["项目"].value: row["内容"].value for row in rows(exported, "申请表")}
    assert (front["申请编号"], front["有效培训人数"], front["申请金额（元）"]) == (exported.number, 3, 600)
    assert len(front["留痕根摘要（SHA-256）"]) == 64
    assert front["政策版本"] == "试用版本（按规范，空缺的数仅供试用）"


def test_hours_are_whole_microseconds(exported: Claim):
    learner = next(row for row in rows(exported, "学时") if row["姓名"].value == "王小满")
    assert learner["合计（微秒）"].value == LEARNER_SECONDS * 1_000_000
    kinds = [cell.value for title, cell in learner.items() if title.endswith("（微秒）")][:-2]
    assert sum(kinds) == LEARNER_SECONDS * 1_000_000


def test_it_is_written_once_and_again_after_a_redraw(exported: Claim, manager: User, now):
    first = exported.export.name
    assert write_export(claim_id=exported.pk, at=now).export.name == first
    assert Entry.objects.filter(kind="claim.exported").count() == 1
    redrawn = redraw_claim(actor=manager, claim=exported, at=now)
    assert (redrawn.export.name, redrawn.export_sha256) == ("", "")
    assert write_export(claim_id=exported.pk, at=now).export_sha256


def test_taking_it_is_on_record_and_a_changed_file_is_not_handed_out(exported: Claim, manager: User, now):
    content = take_export(actor=manager, claim=exported, at=now)
    assert content.startswith(b"PK")
    entry = Entry.objects.get(kind="claim.export_downloaded")
    assert (entry.actor_id, entry.facts["file"]) == (manager.pk, exported.export_sha256)
    Path(exported.export.path).write_bytes(b"PK something else")
    with pytest.raises(Refusal, check=lambda r: r.code == "export_changed"):
        take_export(actor=manager, claim=exported, at=now)
    assert Entry.objects.filter(kind="claim.export_downloaded").count() == 1


def test_before_the_worker_has_written_it_there_is_nothing_to_take(claim: Claim, manager: User, now):
    with pytest.raises(Refusal, check=lambda r: r.code == "export_pending"):
        take_export(actor=manager, claim=claim, at=now)
    assert not Entry.objects.filter(kind="claim.export_downloaded").exists()


# --- the dossier ---


@pytest.fixture
def dossier(notice: PublicNotice, officer: User, over: datetime.datetime, tmp_path: Path) -> Path:
    """Unpacked, of a claim that was approved."""
    claim = decide_claim(actor=officer, claim=notice.claim, approved=True, reason="", at=over)
    folder = tmp_path / "dossier"
    with zipfile.ZipFile(io.BytesIO(make_dossier(actor=officer, claim=claim, at=over))) as archive:
        archive.extractall(folder)
    return folder


def run(folder: Path, script: str) -> tuple[int, str]:
    """In a fresh interpreter that knows nothing of this project."""
    done = subprocess.run(
        [sys.executable, "-I", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_dossier_verifies_outside_of_the_project(dossier: Path):
    assert sorted(path.name for path in dossier.iterdir()) == [
        "README.txt",
        "check_claim.py",
        "claim.json",
        "evidence.json",
        "verify.py",
    ]
    code, said = run(dossier, "verify.py")
    assert (code, "通过" in said) == (0, True), said
    code, said = run(dossier, "check_claim.py")
    assert (code, "申请核对通过：3 行，600.00 元" in said) == (0, True), said


def test_the_dossier_names_nobody(dossier: Path, notice: PublicNotice):
    content = "".join(path.read_text("utf-8") for path in dossier.iterdir())
    for line in notice.claim.lines.select_related("enrolment__person"):
        person = line.enrolment.person
        for secret in (person.name, person.open_id_number(), person.open_phone(), person.id_number_masked):
            assert secret not in content


@contextmanager
def edited(folder: Path, name: str, change: Callable[[Any], None]) -> Iterator[None]:
    """With one of the dossier's files changed by somebody."""
    path = folder / name
    kept = path.read_bytes()
    data = json.loads(kept)
    change(data)
    path.write_text(json.dumps(data, ensure_ascii=False), "utf-8")
    yield
    path.write_bytes(kept)


def of_kind(bundle: Any, kind: str) -> Any:
    return next(entry for entry in bundle["entries"] if entry["kind"] == kind)


def longer_presence(bundle: Any) -> None:
    of_kind(bundle, "presence.closed")["facts"]["last_seen_at"] = "2026-08-17T04:00:00.000000Z"


def without_roots(bundle: Any) -> None:
    bundle["roots"].clear()


def test_tampered_evidence_fails(dossier: Path):
    for change in (longer_presence, without_roots):
        with edited(dossier, "evidence.json", change):
            for script in ("verify.py", "check_claim.py"):
                code, said = run(dossier, script)
                assert (code, "未通过" in said) == (1, True), said


def raise_amount(claim: Any) -> None:
    claim["rate"], claim["amount"] = "300.00", "900.00"
    for line in claim["lines"]:
        line["amount"] = "300.00"


def add_line(claim: Any) -> None:
    claim["lines"].append({**claim["lines"][0], "n": 4, "enrolment": 999_999})
    claim["effective_trainees"], claim["amount"] = 4, "800.00"


def more_time(claim: Any) -> None:
    claim["lines"][0]["credited_microseconds"] += 1


def other_certificate(claim: Any) -> None:
    claim["lines"][0]["certificate"] = claim["lines"][1]["certificate"]


def more_decided(claim: Any) -> None:
    claim["decided_amount"] = "6000.00"


def test_tampered_figures_fail_although_the_evidence_holds(dossier: Path):
    for change, codes in (
        (raise_amount, ["list", "figures"]),
        (add_line, ["verdict #4", "certificate #4", "list", "figures"]),
        (more_time, ["verdict #1", "list", "figures"]),
        (other_certificate, ["certificate #1", "list", "figures"]),
        (more_decided, ["decision", "figures"]),
        (dict.clear, ["figures"]),
    ):
        with edited(dossier, "claim.json", change):
            assert run(dossier, "verify.py")[0] == 0
            code, said = run(dossier, "check_claim.py")
            assert code == 1
            found = [text.split(":")[0].strip() for text in said.splitlines() if text.startswith("  ")]
            assert found == codes


def test_making_a_dossier_is_on_record(dossier: Path, officer: User):
    entry = Entry.objects.get(kind="claim.dossier_made")
    assert entry.actor_id == officer.pk
    claim = json.loads((dossier / "claim.json").read_text("utf-8"))
    assert Decimal(claim["decided_amount"]) == 600
    assert claim["lines"][0]["n"] == 1
