"""Screening: the questionnaire answered, and what the staff makes of it (F4-F6)."""

import datetime
import hashlib
from collections.abc import Mapping

import rfc8785
from django.db import transaction

import audit
from accounts.models import Institution, User
from classes.recruitment import questionnaires
from classes.recruitment.actions.moves import move
from classes.recruitment.actions.registrations import lock_registration
from classes.recruitment.models import Registration, Screening
from classes.recruitment.permissions import require_manages
from classes.recruitment.states import RegistrationState, Stage
from courses.models import Course
from courses.permissions import require_open
from courses.queries import open_to
from policy.messages import gettext_noop
from policy.refusals import Refusal


def answer_questionnaire(
    *, registration: Registration, answers: Mapping[str, str], actor: User | None, at: datetime.datetime
) -> Screening:
    """Score a whole set of answers, classify the applicant and suggest a fitting course (F4-F6).

    The caller has judged that it is the applicant's own session or the institution's staff. An applicant
    answers once; the staff may ask again until somebody is in a class. Raises Refusal `answers_missing`,
    `answer_unknown` (400), `move_refused`.
    """
    questionnaire = questionnaires.for_course(registration.course.course_type)
    result = questionnaires.judge(questionnaire, answers)
    answered = {question.id: answers[question.id] for question in questionnaire.questions}
    with transaction.atomic():
        registration = lock_registration(registration.pk)
        move(registration, "screen")
        course = fitting_course(registration.course, result.course_type, registration.institution)
        screening = Screening.objects.create(
            registration=registration,
            questionnaire=questionnaire.version,
            answers=answered,
            score=result.score,
            most=result.most,
            stage=result.stage,
            needs=list(result.needs),
            suggested_course=course,
            answered_by=actor,
            at=at,
        )
        registration.fitting_course = course
        registration.save(update_fields=["state", "fitting_course"])
        audit.record(
            "registration.screened",
            actor_id=actor.pk if actor else None,
            subject=registration.subject,
            facts={
                "registration": registration.pk,
                "screening": screening.pk,
                "questionnaire": questionnaire.version,
                "score": result.score,
                "stage": result.stage,
                "course": course.pk if course else None,
                "answers": hashlib.sha256(rfc8785.dumps(answered)).hexdigest(),
            },
            at=at,
        )
    return screening


def rejudge(
    *,
    registration: Registration,
    stage: str,
    course: Course | None,
    reason: str,
    actor: User,
    at: datetime.datetime,
) -> Screening:
    """Judge otherwise than the questionnaire, with a reason (F5, F6); what the tool found stays beside it.

    Raises Refusal `not_screened`, `stage_unknown`, `reason_missing` (400), `move_refused` (in a class, or
    over), Http404 for strangers.
    """
    require_manages(actor, registration.institution_id)
    reason = reason.strip()
    if stage not in Stage.values:
        raise Refusal(
            "stage_unknown",
            gettext_noop("分类要从三类里选。"),
            found=stage[:20],
            required=list(Stage.values),
            rule="F5",
            next_step=gettext_noop("请选一类。"),
            status=400,
        )
    if not reason:
        raise Refusal(
            "reason_missing",
            gettext_noop("改判要写明理由。"),
            found=False,
            required=True,
            rule="F5",
            next_step=gettext_noop("请写上理由再提交。"),
            status=400,
        )
    with transaction.atomic():
        registration = lock_registration(registration.pk)
        if registration.state not in (RegistrationState.SCREENED, RegistrationState.WAITING):
            raise Refusal(
                "move_refused",
                gettext_noop("%(thing)s%(state)s，不能做这一步。"),
                found=RegistrationState(registration.state),
                required=[RegistrationState.SCREENED, RegistrationState.WAITING],
                rule="F5",
                params={
                    "thing": str(registration._meta.verbose_name),
                    "state": registration.get_state_display(),
                },
                next_step=gettext_noop("请刷新页面，按现在的状态继续。"),
            )
        screening = registration.screenings.select_for_update().first()
        if screening is None:  # the state says otherwise; a constraint cannot
            raise Refusal(
                "not_screened",
                gettext_noop("还没有筛选，不能改判。"),
                found=False,
                required=True,
                rule="F4",
                next_step=gettext_noop("请先回答问卷。"),
            )
        if course is not None and course.pk not in (registration.course_id, registration.fitting_course_id):
            require_open(course, registration.institution)
        screening.changed_stage, screening.changed_course = stage, course
        screening.changed_reason, screening.changed_by, screening.changed_at = reason, actor, at
        screening.save(
            update_fields=[
                "changed_stage",
                "changed_course",
                "changed_reason",
                "changed_by",
                "changed_at",
            ]
        )
        registration.fitting_course = course
        registration.save(update_fields=["fitting_course"])
        audit.record(
            "registration.rejudged",
            actor_id=actor.pk,
            subject=registration.subject,
            facts={
                "registration": registration.pk,
                "screening": screening.pk,
                "found": screening.stage,
                "stage": stage,
                "course": course.pk if course else None,
                "reason": hashlib.sha256(reason.encode()).hexdigest(),
            },
            at=at,
        )
    return screening


def fitting_course(wanted: Course, course_type: str, institution: Institution) -> Course | None:
    """The wanted course when its type fits, else the first of the fitting type that the institution may
    teach.
    """
    if not course_type:
        return None
    if wanted.course_type == course_type:
        return wanted
    return open_to(institution).filter(course_type=course_type).first()
