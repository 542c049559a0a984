"""The claim as an .xlsx for the offices, and the dossier that can be verified without this platform.

Documents for offices stay Chinese, whoever asks.
"""

import datetime
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from importlib import resources

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext_noop
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

import audit
from accounts.editions import edition as find_edition
from accounts.models import User
from audit.actions import LEGAL_ZONE, seal_now
from audit.bundle import export_bundle
from audit.models import Root
from audit.queries import entries_of_chain
from audit.reconciliation import require_borne_out
from policy.messages import percent_figure
from policy.refusals import Refusal
from policy.terms import CreditKind, TraineeCategory, course_type_name
from subsidies.models import Claim
from subsidies.queries import lines_of

FORMAT = "yuchuang-claim/2"
Value = str | int | Decimal | None
README = """豫创补贴申请核验包

claim.json     申请的数字：每一行的学时、证书和金额，没有姓名和证件号
evidence.json  这个班的全部留痕，和签了名的根
verify.py      核对留痕：每一条的摘要、前后相接、默克尔根、Ed25519 签名
check_claim.py 核对申请：金额、名单和学时是否与留痕里的一致

核验：python3 check_claim.py
只需要 Python 3.8 以上，不用联网，不用安装别的程序。
"""


def write_export(*, claim_id: int, at: datetime.datetime) -> Claim:
    """Write the claim's .xlsx with the newest signed evidence root on it; a claim that has one keeps it.

    Raises Refusal `evidence_differs`.
    """
    with transaction.atomic():
        claim = (
            Claim.objects.select_for_update(of=("self",))
            .select_related("training_class__course", "institution")
            .get(pk=claim_id)
        )
        if claim.export:
            return claim
        require_borne_out(claim.training_class.subject, rule="P10")
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


def take_export(*, actor: User, claim: Claim, at: datetime.datetime) -> bytes:
    """Hand out the .xlsx, which holds people's numbers, and keep on record who took it.

    Raises Refusal `evidence_differs`, `export_pending` while the worker writes it, `export_changed` if the
    file is not what was written.
    """
    with transaction.atomic():
        claim = Claim.objects.select_for_update().get(pk=claim.pk)
        require_borne_out(f"class/{claim.training_class_id}", rule="P10")
        if not claim.export:
            raise Refusal(
                "export_pending",
                gettext_noop("申请表还在生成。"),
                found=False,
                required=True,
                rule="F16",
                next_step=gettext_noop("请过一会儿再下载，您可以先离开。"),
            )
        with claim.export.open("rb") as file:
            content: bytes = file.read()
        if hashlib.sha256(content).hexdigest() != claim.export_sha256:
            raise Refusal(
                "export_changed",
                gettext_noop("申请表文件和生成时的摘要不一致，不能下载。"),
                found=hashlib.sha256(content).hexdigest(),
                required=claim.export_sha256,
                rule="P20",
                next_step=gettext_noop("请联系平台运营核对。"),
            )
        audit.record(
            "claim.export_downloaded",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={"claim": claim.pk, "number": claim.number, "file": claim.export_sha256},
            at=at,
        )
    return content


def make_dossier(*, actor: User, claim: Claim, at: datetime.datetime) -> bytes:
    """Return a zip that proves the claim without this platform: figures, evidence, signed roots, checkers.

    Names and ID numbers stay out: a dossier goes from hand to hand. The digest of the figures is put on
    record and sealed before the evidence is packed, so a signed root covers the figures themselves.
    """
    figures = json.dumps(_dossier_figures(claim, at), ensure_ascii=False, indent=2).encode()
    with transaction.atomic():
        audit.record(
            "claim.dossier_made",
            actor_id=actor.pk,
            subject=claim.subject,
            facts={
                "claim": claim.pk,
                "number": claim.number,
                "file": hashlib.sha256(figures).hexdigest(),
            },
            at=at,
        )
    seal_now(at=at)
    bundle = export_bundle(entries_of_chain(claim.training_class.subject))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("claim.json", figures)
        archive.writestr("evidence.json", json.dumps(bundle, ensure_ascii=False))
        for module, script, name in (
            ("audit", "offline_verifier.py", "verify.py"),
            ("subsidies", "offline_checker.py", "check_claim.py"),
        ):
            archive.writestr(name, resources.files(module).joinpath(script).read_text(encoding="utf-8"))
        archive.writestr("README.txt", README)
    return out.getvalue()


def _dossier_figures(claim: Claim, at: datetime.datetime) -> dict[str, object]:
    return {
        "format": FORMAT,
        "claim": claim.number,
        "subject": claim.subject,
        "institution": claim.institution.credit_code,
        "edition": claim.edition,
        "effective_trainees": claim.effective_trainees,
        "rate": str(claim.rate),
        "amount": str(claim.amount),
        "decided_amount": None if claim.decided_amount is None else str(claim.decided_amount),
        "made_at": at.astimezone(LEGAL_ZONE).isoformat(),
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
            for line in lines_of(claim)
        ],
    }


# --- the workbook ---


def _workbook(claim: Claim, root: Root) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = "豫创"
    _write(book.create_sheet("申请表"), ["项目", "内容"], _front(claim, root))
    lines = list(lines_of(claim))
    _write(
        book.create_sheet("申请明细"),
        [
            "行",
            "姓名",
            "身份证号",
            "手机号",
            "学员类别",
            "学时占比（%）",
            "考试成绩",
            "合格证编号",
            "金额（元）",
        ],
        [
            [
                line.n,
                line.enrolment.person.name,
                line.enrolment.person.open_id_number(),
                line.enrolment.open_phone() or None,
                str(TraineeCategory(line.enrolment.category).label),
                Decimal(percent_figure(line.verdict.share)),
                Decimal(percent_figure(line.certificate.attempt.hundredths / 100)),
                line.certificate.number,
                line.amount,
            ]
            for line in lines
        ],
    )
    kinds = list(CreditKind)
    _write(
        book.create_sheet("学时"),
        [
            "行",
            "姓名",
            *(f"{kind.label}（微秒）" for kind in kinds),
            "合计（微秒）",
            "应学（微秒）",
            "留痕序号",
        ],
        [
            [
                line.n,
                line.enrolment.person.name,
                *(line.verdict.by_kind.get(kind, 0) for kind in kinds),
                line.verdict.credited_microseconds,
                line.verdict.required_microseconds,
                line.verdict.evidence_seq,
            ]
            for line in lines
        ],
    )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _front(claim: Claim, root: Root) -> list[list[Value]]:
    training_class = claim.training_class
    return [
        ["格式", FORMAT],
        ["申请编号", claim.number],
        ["申请机构", claim.institution.name],
        ["统一社会信用代码", claim.institution.credit_code],
        ["培训班", training_class.name],
        ["课程", training_class.course.name],
        ["培训类型", str(course_type_name(training_class.course.course_type))],
        ["培训时间", f"{training_class.starts_on:%Y-%m-%d} 至 {training_class.ends_on:%Y-%m-%d}"],
        ["政策版本", find_edition(claim.edition).title],  # which says so where it is for trying out
        ["有效培训人数", claim.effective_trainees],
        ["补贴标准（元/人）", claim.rate],
        ["申请金额（元）", claim.amount],
        ["留痕根序号", root.number],
        ["留痕根摘要（SHA-256）", root.merkle_root],
        ["根签名（Ed25519）", root.signature],
    ]


def _write(sheet: Worksheet, head: Sequence[str], rows: Sequence[Sequence[Value]]) -> None:
    """Text as text, whatever it looks like; numbers as numbers, money with two decimals."""
    for column, title in enumerate(head, start=1):
        cell = sheet.cell(1, column, title)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E9F0F7")
        cell.alignment = Alignment(horizontal="center")
    for row, values in enumerate(rows, start=2):
        for column, value in enumerate(values, start=1):
            cell = sheet.cell(
                row, column, ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
            )
            assert isinstance(cell, Cell)
            if isinstance(value, str):
                cell.data_type = "s"  # also what looks like a formula or a number
                cell.number_format = "@"
            else:
                cell.number_format = "#,##0.00" if isinstance(value, Decimal) else "#,##0"
    for column, title in enumerate(head, start=1):
        longest = max([len(title), *(len(str(row[column - 1])) for row in rows)])
        sheet.column_dimensions[get_column_letter(column)].width = min(8 + longest * 1.4, 60)
    sheet.freeze_panes = "A2"
