"""The demo's registers: a qualified lecturer, the school's designation, the platform's record."""

from __future__ import annotations

import datetime
import io
from functools import cache
from typing import TYPE_CHECKING

from django.db import transaction
from PIL import Image, ImageDraw

from accounts.actions import find_or_create_person, grant_role, record_membership
from accounts.models import Membership, User
from accounts.registers import actions
from accounts.registers.actions import Order, Paper, QualificationDetails
from accounts.registers.models import Measure, PlatformReport, Qualification
from accounts.registers.states import REQUIRED_DOCUMENTS, DocumentKind, Ground, MeasureKind, Route
from accounts.states import Role
from policy.classes import PlatformField

if TYPE_CHECKING:
    from config.demo.cast import Cast

# What the platform does not fulfil by what it does is on file as a document.
CONDITIONS = {
    "P1": "营业执照",
    "P2": "工信部门 ICP 备案证明",
    "P3": "平台运营情况说明",
    "P4": "财务制度和管理制度汇编",
    "P5": "公共信用信息报告",
    "P11": "学员电子档案管理办法",
    "P22": "培训后续服务方案",
    "P26": "创业和开业情况登记办法",
}
LECTURER_PAPERS = {
    DocumentKind.CERTIFICATE: "河南省创业培训讲师培训合格证",
    DocumentKind.EXPERIENCE: "创业培训工作经历证明",
    DocumentKind.ONLINE_SKILLS: "互联网授课技能培训证明",
    DocumentKind.CONTRACT: "讲师聘用合同",
}


def build_registers(cast: Cast, *, at: datetime.datetime) -> None:
    """Enter what the cast needs to run classes lawfully; what an earlier run made stays."""
    person = cast.trainer.person
    assert person is not None
    if Qualification.objects.filter(person=person).exists():
        return
    qualification = actions.enter_qualification(
        person=person,
        institution=cast.school,
        details=QualificationDetails(
            route=Route.CERTIFICATE,
            number="豫创培师 2019-0318",
            certified_on=datetime.date(2019, 6, 20),
            training_since=datetime.date(2019, 3, 1),
        ),
        actor=cast.manager,
        at=at,
    )
    for kind, name in LECTURER_PAPERS.items():
        actions.add_to_qualification(
            qualification=qualification, kind=kind, paper=paper(name), actor=cast.manager, at=at
        )
    actions.submit_qualification(qualification=qualification, actor=cast.manager, at=at)
    actions.decide_qualification(
        qualification=qualification, confirmed=True, reason="", actor=cast.officer, at=at
    )
    actions.add_to_institution(
        institution=cast.school,
        paper=paper(
            "创业培训定点机构认定文件",
            number="郑人社〔2023〕118 号",
            valid_from=cast.school.designated_from,
        ),
        actor=cast.officer,
        at=at,
    )
    build_platform(cast, at=at)


def build_platform(cast: Cast, *, at: datetime.datetime) -> PlatformReport:
    """Report the platform, with a document for every condition that needs one."""
    for row, name in CONDITIONS.items():
        actions.add_to_platform(row=row, paper=paper(name), actor=cast.operator, at=at)
    return actions.save_report(
        fields={
            PlatformField.NAME: "豫创互联网+创业培训平台",
            PlatformField.LEGAL_REPRESENTATIVE: "程立平",
            PlatformField.ADDRESS: "郑州市郑东新区龙子湖智慧岛 6 号",
            PlatformField.CONTACT_PERSON: "方晓燕",
            PlatformField.CONTACT_DETAILS: "0371-60000060",
        },
        actor=cast.operator,
        at=at,
    )


def order_correction(cast: Cast, *, at: datetime.datetime) -> Measure:
    """Order the school to correct something, in time: it is noted at filing and blocks nothing yet.

    What an earlier run ordered is returned.
    """
    known = Measure.objects.filter(institution=cast.school, ended_on__isnull=True).first()
    if known is not None:
        return known
    today = at.astimezone(datetime.timezone(datetime.timedelta(hours=8))).date()
    return actions.order_institution(
        institution=cast.school,
        order=Order(
            kind=MeasureKind.RECTIFICATION,
            row=Ground.BREACH,
            ground="第三季度两个班的每日意见反馈表收集不全，请补齐并说明原因。",
            since=today,
            deadline=today + datetime.timedelta(days=30),
        ),
        actor=cast.officer,
        at=at,
    )


def paper(
    name: str,
    *,
    number: str = "",
    valid_from: datetime.date | None = None,
    valid_until: datetime.date | None = None,
) -> Paper:
    """A document with a picture of nothing in particular."""
    return Paper(name=name, picture=scan(), number=number, valid_from=valid_from, valid_until=valid_until)


@cache
def scan() -> bytes:
    """A page with grey lines and a red seal, as a small JPEG."""
    image = Image.new("RGB", (300, 420), "#f4f1e8")
    pen = ImageDraw.Draw(image)
    pen.rectangle((12, 12, 288, 408), outline="#b9a46a", width=3)
    for n, width in enumerate((120, 220, 220, 200, 220, 150)):
        pen.rectangle((40, 60 + 34 * n, 40 + width, 68 + 34 * n), fill="#8d8a80")
    pen.ellipse((190, 300, 262, 372), outline="#b3261e", width=4)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def enter_candidates(cast: Cast, *, at: datetime.datetime) -> tuple[Qualification, Qualification]:
    """Two new lecturers of the school: one before the office, one whose papers are not complete."""
    made = []
    for name, serial, route in (("丁一鸣", 42, Route.EXPERIMENT), ("魏春华", 43, Route.CERTIFICATE)):
        person = find_or_create_person(
            name=name, id_number=cast.id_number(serial), phone=f"1390000{serial:04d}", at=at
        )
        user, _new = User.objects.get_or_create(username=f"t{person.pk:08d}", defaults={"person": person})
        known = Membership.objects.filter(user=user, role=Role.LECTURER, institution=cast.school).exists()
        membership = grant_role(user=user, role=Role.LECTURER, institution=cast.school)
        if not known:
            with transaction.atomic():
                record_membership("role.granted", membership, actor=cast.manager, at=at)
        made.append(
            Qualification.objects.filter(person=person).first()
            or actions.enter_qualification(
                person=person,
                institution=cast.school,
                details=QualificationDetails(
                    route=route,
                    number=f"豫创培师 2025-00{serial}",
                    certified_on=datetime.date(2025, 4, 18),
                    training_since=datetime.date(2023, 10, 9) if route == Route.CERTIFICATE else None,
                ),
                actor=cast.manager,
                at=at,
            )
        )
    submitted, draft = made
    if submitted.is_open:
        for kind in REQUIRED_DOCUMENTS[submitted.route]:
            actions.add_to_qualification(
                qualification=submitted,
                kind=kind,
                paper=paper(str(kind.label)),
                actor=cast.manager,
                at=at,
            )
        submitted = actions.submit_qualification(qualification=submitted, actor=cast.manager, at=at)
    return submitted, draft
