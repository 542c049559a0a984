"""The claim as an .xlsx for the offices, and the dossier that can be verified without this platform."""

import datetime
import hashlib
import io
import json
import zipfile
from importlib import resources

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

import audit
from accounts.models import User
from attendance.queries import credit_of_class
from audit.actions import seal_now
from audit.bundle import export_bundle
from audit.models import Root
from audit.queries import entries_of_chain
from policy.messages import percent_text
from policy.terms import CreditKind
from subsidies.models import Claim

FORMAT = "yuchuang-claim/1"
HEAD = PatternFill("solid", fgColor="EDE8DC")
# A cell that begins like a formula would be computed by whoever opens the file.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_export(*, claim_id: int, at: datetime.datetime) -> Claim:
    """Write the claim's .xlsx with the newest signed evidence root on it; a claim that has one keeps it."""
    with transaction.atomic():
        claim = (
            Claim.objects.select_for_update(of=("self",))
            .select_related("training_class__course", "training_class__institution", "institution")
            .get(pk=claim_id)
        )
        if claim.export:
            return claim
        content = _workbook(claim, seal_now(at=at))
        claim.export_sha256 = hashlib.sha256(content).hexdigest()
        claim.export.save(f"{claim.number}.xlsx", ContentFile(content), save=False)
        claim.save(update_fields=["export", "export_sha256"])
        audit.record(
            "claim.exported",
            actor_id=None,
            subject=claim.subject,
            facts={"claim": claim.pk, "number": claim.number, "file": claim.export_sha256},
            at=at,
        )
    return claim


def record_download(*, actor: User, claim: Claim, what: str, at: datetime.datetime) -> None:
    """Keep on record who took a claim's papers away; they hold people's data."""
    with transaction.atomic():
        audit.record(
            "claim.downloaded",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={"claim": claim.pk, "number": claim.number, "what": what},
            at=at,
        )


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def _table(sheet: Worksheet, header: list[str], rows: list[list[object]], widths: list[int]) -> None:
    sheet.append(header)
    for row in rows:
        sheet.append([_text(cell) if isinstance(cell, str) else cell for cell in row])
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), HEAD
        cell.alignment = Alignment(horizontal="center")
    for column, width in zip(sheet.columns, widths, strict=True):
        sheet.column_dimensions[column[0].column_letter].width = width
        for cell in column[1:]:
            if isinstance(cell.value, str):
                cell.number_format = "@"  # ID numbers and phones stay text in every spreadsheet program
    sheet.freeze_panes = "A2"


def _workbook(claim: Claim, root: Root) -> bytes:
    training_class = claim.training_class
    book = Workbook()
    front = book.active
    assert front is not None
    front.title = "申请表"
    _table(
        front,
        ["项目", "内容"],
        [
            ["格式", FORMAT],
            ["申请编号", claim.number],
            ["申请机构", claim.institution.name],
            ["统一社会信用代码", claim.institution.credit_code],
            ["培训班", training_class.name],
            ["课程", f"{training_class.course.name}（{training_class.course.course_type}）"],
            ["培训时间", f"{training_class.starts_on:%Y-%m-%d} 至 {training_class.ends_on:%Y-%m-%d}"],
            ["政策版本", claim.edition],
            ["有效培训人数", claim.effective_trainees],
            ["补贴标准（元/人）", claim.rate],
            ["申请金额（元）", claim.amount],
            ["留痕根序号", root.number],
            ["留痕根摘要（SHA-256）", root.merkle_root],
            ["根签名（Ed25519）", root.signature],
        ],
        [24, 90],
    )
    credit = {row.enrolment_id: row for row in credit_of_class(training_class)}
    lines = list(
        claim.lines.select_related("enrolment__person", "verdict", "certificate__attempt__exam").order_by("n")
    )
    _table(
        book.create_sheet("申请明细"),
        ["行", "姓名", "身份证号", "手机号", "学员类别", "学时占比（%）", "考试成绩", "合格证编号", "金额（元）"],
        [
            [
                line.n,
                line.enrolment.person.name,
                line.enrolment.person.open_id_number(),
                line.enrolment.person.open_phone(),
                str(line.enrolment.get_category_display()),
                percent_text(line.verdict.share).removesuffix("%"),
                percent_text(line.certificate.attempt.hundredths / 100).removesuffix("%"),
                line.certificate.number,
                line.amount,
            ]
            for line in lines
        ],
        [6, 12, 22, 16, 28, 14, 12, 20, 14],
    )
    kinds = list(CreditKind)
    _table(
        book.create_sheet("学时"),
        ["行", "姓名", *(f"{kind.label}（微秒）" for kind in kinds), "合计（微秒）", "应学（微秒）"],
        [
            [
                line.n,
                line.enrolment.person.name,
                *(credit[line.enrolment_id].by_kind.get(kind, 0) for kind in kinds),
                line.verdict.credited_microseconds,
                line.verdict.required_microseconds,
            ]
            for line in lines
        ],
        [6, 12, *(18 for _kind in kinds), 20, 20],
    )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def make_dossier(*, claim: Claim, at: datetime.datetime) -> bytes:
    """Return a zip that proves the claim without this platform: figures, evidence, signed roots, a verifier.

    Names and ID numbers stay out: a dossier goes from hand to hand. Trainees are known by their enrolment number.
    """
    root = seal_now(at=at)
    figures = {
        "format": FORMAT,
        "claim": claim.number,
        "institution": claim.institution.credit_code,
        "class": claim.training_class_id,
        "edition": claim.edition,
        "effective_trainees": claim.effective_trainees,
        "rate": str(claim.rate),
        "amount": str(claim.amount),
        "root": root.number,
        "made_at": at.astimezone(timezone.get_default_timezone()).isoformat(),
        "lines": [
            {
                "n": line.n,
                "enrolment": line.enrolment_id,
                "amount": str(line.amount),
                "certificate": line.certificate.number,
                "credited_microseconds": line.verdict.credited_microseconds,
                "required_microseconds": line.verdict.required_microseconds,
                "verdict_entry": line.verdict.evidence_seq,
                "verdict_hash": line.verdict.evidence_hash,
            }
            for line in claim.lines.select_related("verdict", "certificate").order_by("n")
        ],
    }
    bundle = export_bundle(entries_of_chain(claim.training_class.subject))
    verifier = resources.files("audit").joinpath("offline_verifier.py").read_text(encoding="utf-8")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("claim.json", json.dumps(figures, ensure_ascii=False, indent=2))
        archive.writestr("evidence.json", json.dumps(bundle, ensure_ascii=False))
        archive.writestr("verify.py", verifier)
        archive.writestr(
            "README.txt",
            "豫创补贴申请核验包\n\n"
            "claim.json 是申请的数字，evidence.json 是这个班的全部留痕和签名的根，verify.py 是离线核验程序。\n"
            "核验：python3 verify.py evidence.json\n"
            "只需要 Python 3.11 以上，不用联网，不用安装别的程序。\n",
        )
    return out.getvalue()
