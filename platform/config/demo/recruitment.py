"""Recruitment of the demo's school: campaigns, an offline event, and registrations in every state."""

import datetime
import io
import uuid
from collections.abc import Sequence

from PIL import Image, ImageDraw

from accounts.id_numbers import parse
from classes.models import TrainingClass
from classes.recruitment import actions, privacy
from classes.recruitment.actions import Application, CampaignDetails, Document
from classes.recruitment.models import Campaign, OfflineEvent, Registration
from classes.recruitment.questionnaires import for_course
from classes.recruitment.states import Education
from config.demo.cast import Cast
from config.demo.rosters import people
from courses.models import Course
from policy.terms import TraineeCategory

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
FIRST = 220  # of the made-up people; the rosters of the demo's classes end before
DOCUMENTS = {
    TraineeCategory.POOR_FAMILY: "脱贫户证明",
    TraineeCategory.GRADUATE: "学生证",
    TraineeCategory.SCHOOL_LEAVER: "毕业证",
    TraineeCategory.RURAL_WORKER: "户口簿",
    TraineeCategory.URBAN_UNEMPLOYED: "就业创业证",
}
WORK = ("务农", "在郑州打工", "待业", "在校学生", "摆早点摊", "网店客服")
WISHES = ("想开一家早餐店。", "想学会算成本。", "想在村里办家庭农场。", "", "想把网店做大。")


def build_recruitment(cast: Cast, *, now: datetime.datetime, draft: TrainingClass | None = None) -> Campaign:
    """Make two campaigns, an event, and registrations that wait, were assigned or turned down.

    `draft` is a class whose roster may still change: two applicants are assigned to it. What an earlier run
    made is returned.
    """
    existing = Campaign.objects.filter(institution=cast.school).order_by("pk").first()
    if existing is not None:
        return existing
    began = now - datetime.timedelta(days=12)
    today = now.astimezone(SHANGHAI).date()
    gyb, syb = (
        actions.create_campaign(
            details=CampaignDetails(
                course=Course.objects.filter(course_type=course_type).order_by("pk")[0],
                planned_from=today + datetime.timedelta(days=days),
                planned_until=today + datetime.timedelta(days=days + 7),
                places=places,
                description=description,
            ),
            actor=cast.manager,
            at=began,
        )
        for course_type, days, places, description in (
            ("GYB", 38, 60, "面向有创业想法、还没有定下项目的人。全程网上直播，用手机就能上课，不收学费。"),
            ("SYB", 52, 30, "面向已经选定项目、准备开业的人。带着您自己的项目来，结业时写成一份创业计划书。"),
        )
    )
    event = actions.create_event(
        campaign=gyb,
        title="文化路社区创业宣讲会",
        held_on=(began + datetime.timedelta(days=1)).astimezone(SHANGHAI).date(),
        venue="金水区文化路街道党群服务中心",
        recruiter="周文博",
        actor=cast.manager,
        at=began,
    )
    rows = people(9, first=FIRST)
    made = [
        _register(gyb if n < 7 else syb, row, n, event if n % 3 == 1 else None, at=_hours(began, 20 + 17 * n))
        for n, row in enumerate(rows)
    ]
    # 0 and 1 wait for their questionnaire.
    for n in range(2, 9):
        at = made[n].submitted_at + datetime.timedelta(minutes=6)
        actions.answer_questionnaire(
            registration=made[n], answers=_answers(made[n], able=n >= 7), actor=None, at=at
        )
    _settle(cast, made, draft, now=now)
    register_learner(cast, syb, now=now - datetime.timedelta(days=1))
    return gyb


def _settle(
    cast: Cast, made: Sequence[Registration], draft: TrainingClass | None, *, now: datetime.datetime
) -> None:
    """The institution's answers: one document checked, one refused, two waiting, one turned down."""
    hour = now - datetime.timedelta(hours=3)
    for registration, accepted in ((made[2], True), (made[3], False)):
        evidence = registration.evidence.first()
        if evidence is not None:
            actions.check_evidence(
                evidence=evidence,
                accepted=accepted,
                reason="" if accepted else "照片反光，看不清有效期，请重拍一张。",
                actor=cast.manager,
                at=hour,
            )
    actions.add_note(registration=made[4], text="晚上七点以后方便接电话。", actor=cast.manager, at=hour)
    actions.put_on_waiting_list(registration=made[7], actor=cast.manager, at=hour)
    actions.put_on_waiting_list(
        registration=made[8], actor=cast.manager, at=hour + datetime.timedelta(minutes=1)
    )
    actions.reject(registration=made[5], reason="这期已经满员，您可以报下一期。", actor=cast.manager, at=hour)
    if draft is not None:
        actions.assign(registration=made[2], training_class=draft, actor=cast.manager, at=hour)


def _register(
    campaign: Campaign,
    row: tuple[str, str, str],
    n: int,
    event: OfflineEvent | None,
    *,
    at: datetime.datetime,
) -> Registration:
    name, id_number, phone = row
    category = list(TraineeCategory)[n % 5]
    day = at.astimezone(SHANGHAI).date()
    return actions.register(
        campaign=campaign,
        application=Application(
            name=name,
            id_number=parse(id_number),
            phone=phone,
            category=category,
            education=list(Education)[n % 5].value,
            occupation=WORK[n % len(WORK)],
            wish=WISHES[n % len(WISHES)],
            privacy_version=privacy.current_text(day).version,
        ),
        document=Document(
            category=category,
            name=DOCUMENTS[category],
            valid_from=day - datetime.timedelta(days=200),
            valid_until=day + datetime.timedelta(days=500),
            picture=specimen(),
        )
        if n % 2 == 0 or n == 3
        else None,
        event=event if event is not None and event.campaign_id == campaign.pk else None,
        key=uuid.uuid5(uuid.NAMESPACE_URL, f"demo registration {n}"),
        actor=None,
        at=at,
    )


def register_learner(cast: Cast, campaign: Campaign, *, now: datetime.datetime) -> Registration:
    """The learner's own registration for one more course, with a document; screening comes next."""
    person = cast.learner.person
    assert person is not None
    category = TraineeCategory.RURAL_WORKER
    return actions.register(
        campaign=campaign,
        application=Application(
            name=person.name,
            id_number=parse(person.open_id_number()),
            phone=person.open_phone(),
            category=category,
            education=Education.SENIOR,
            occupation="在郑州打工",
            wish="想回村开早餐店。",
            privacy_version=privacy.current_text(now.astimezone(SHANGHAI).date()).version,
        ),
        document=Document(
            category=category,
            name=DOCUMENTS[category],
            valid_from=datetime.date(now.year - 1, 1, 1),
            picture=specimen(),
        ),
        event=None,
        key=uuid.uuid5(uuid.NAMESPACE_URL, "demo registration of the learner"),
        actor=cast.learner,
        at=now,
    )


def specimen() -> bytes:
    """A picture of no real document: a sheet with lines."""
    sheet = Image.new("RGB", (900, 640), "#f6f4ef")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((30, 30, 870, 610), outline="#8a8272", width=4)
    for line in range(6):
        pen.line((80, 150 + 70 * line, 820 - 90 * (line % 3), 150 + 70 * line), fill="#4a5361", width=6)
    pen.ellipse((640, 400, 800, 560), outline="#b8342a", width=8)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _answers(registration: Registration, *, able: bool) -> dict[str, str]:
    """Answers of somebody with a project of their own, or of somebody who begins to think of one."""
    questions = for_course(registration.course.course_type).questions
    chosen = {
        each.id: (max if able else min)(each.options, key=lambda option: option.points).id
        for each in questions
    }
    return (
        chosen if able else chosen | {"idea": "vague", "time": "enough", "device": "phone", "help": "support"}
    )


def _hours(start: datetime.datetime, hours: int) -> datetime.datetime:
    return start + datetime.timedelta(hours=hours)
