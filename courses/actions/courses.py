"""Entering a course and changing what is said about it; what it teaches is in its versions."""

import datetime
import hashlib
from dataclasses import dataclass

import rfc8785
from django.db import IntegrityError, transaction

import audit
from accounts.models import User
from accounts.permissions import require_role
from accounts.states import Role
from courses import permissions
from courses.actions.versions import write_draft
from courses.models import Course, OriginalCourse
from courses.states import Origin
from policy.messages import gettext_noop
from policy.refusals import Refusal

LONGEST_NAME = 80
LONGEST_TEXT = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class CourseDetails:
    """What is said about a course. `original` names the offline course it was made from (H2)."""

    name: str
    course_type: str
    origin: str
    original: str = ""
    summary: str = ""
    audience: str = ""


def lock_course(pk: int) -> Course:
    """Lock the course until the transaction ends; the first lock of every action on its versions."""
    return Course.objects.select_for_update(of=("self",)).select_related("institution").get(pk=pk)


def create_course(*, details: CourseDetails, actor: User, at: datetime.datetime) -> Course:
    """Enter a course with an empty first draft. A manager's belongs to their institution (H1).

    Raises Refusal `role_required` (403), `course_name_missing`, `course_name_taken`, `course_type_missing`,
    `course_origin_unknown`, `course_original_missing`, `course_text_too_long`.
    """
    require_role(actor, Role.OPERATOR, Role.MANAGER)
    with transaction.atomic():
        institution = None if actor.has_role(Role.OPERATOR) else permissions.own_institution(actor)
        course = Course(institution=institution)
        _write(course, details)
        audit.record(
            "course.created", actor_id=actor.pk, subject=course.subject, facts=facts_of(course), at=at
        )
        write_draft(course, copied=None, notes="", actor=actor, at=at)
    return course


def update_course(*, course: Course, details: CourseDetails, actor: User, at: datetime.datetime) -> Course:
    """Change what is said about a course; its type stays once a version was published.

    The same details again change nothing. Raises as `create_course`, and Refusal `not_the_editor` (403),
    `course_type_fixed`.
    """
    with transaction.atomic():
        course = lock_course(course.pk)
        permissions.require_edit(actor, course)
        if details.course_type != course.course_type and course.versions.exclude(state="draft").exists():
            raise Refusal(
                "course_type_fixed",
                gettext_noop("这门课已经发布过，课程类型不能再改。"),
                found=details.course_type[:20],
                required=course.course_type,
                rule="A4",
                next_step=gettext_noop("请另外录入一门课程。"),
            )
        before = facts_of(course)
        _write(course, details)
        after = facts_of(course)
        if before != after:
            audit.record("course.changed", actor_id=actor.pk, subject=course.subject, facts=after, at=at)
    return course


def facts_of(course: Course) -> dict[str, audit.kinds.Fact]:
    texts = rfc8785.dumps({"summary": course.summary, "audience": course.audience})
    return {
        "name": course.name,
        "course_type": course.course_type,
        "origin": course.origin,
        "converted_from": course.converted_from_id,
        "institution": course.institution_id,
        "texts": hashlib.sha256(texts).hexdigest(),
    }


def _write(course: Course, details: CourseDetails) -> None:
    _judge(details)
    course.name, course.course_type = details.name.strip(), details.course_type.strip()
    # An institution's own stays its own, whatever a form says.
    course.origin = Origin.INSTITUTION if course.institution_id else details.origin
    course.converted_from = None
    if course.origin == Origin.CONVERTED:
        course.converted_from = OriginalCourse.objects.get_or_create(name=details.original.strip())[0]
    course.summary, course.audience = details.summary.strip(), details.audience.strip()
    try:
        with transaction.atomic():
            course.save()
    except IntegrityError as error:
        if "name" not in str(error):
            raise
        raise Refusal(
            "course_name_taken",
            gettext_noop("已经有一门课叫“%(name)s”。"),
            found=True,
            required=False,
            params={"name": course.name},
            next_step=gettext_noop("请换一个名称。"),
        ) from None


def _judge(details: CourseDetails) -> None:
    if not 0 < len(details.name.strip()) <= LONGEST_NAME:
        raise Refusal(
            "course_name_missing",
            gettext_noop("课程名称要写 1 到 %(most)s 个字。"),
            found=len(details.name.strip()),
            required=LONGEST_NAME,
            params={"most": LONGEST_NAME},
            next_step=gettext_noop("请写上课程名称。"),
            status=400,
        )
    if not 0 < len(details.course_type.strip()) <= 20:
        raise Refusal(
            "course_type_missing",
            gettext_noop("要写明课程类型：GYB、SYB，或其他类型的代号。"),
            found=len(details.course_type.strip()),
            required=20,
            rule="A4",
            next_step=gettext_noop("请选课程类型。"),
            status=400,
        )
    if details.origin not in Origin.values:
        raise Refusal(
            "course_origin_unknown",
            gettext_noop("要写明课程从哪里来。"),
            found=details.origin[:20],
            required=list(Origin.values),
            rule="H1",
            next_step=gettext_noop("请选课程来源。"),
            status=400,
        )
    if details.origin == Origin.CONVERTED and not 0 < len(details.original.strip()) <= 120:
        raise Refusal(
            "course_original_missing",
            gettext_noop("由线下课程改造的，要写明原来是哪一门课。"),
            found=len(details.original.strip()),
            required="1–120",
            rule="H2",
            next_step=gettext_noop("请写上线下原课程的名称。"),
            status=400,
        )
    longest = max(len(details.summary), len(details.audience))
    if longest > LONGEST_TEXT:
        raise Refusal(
            "course_text_too_long",
            gettext_noop("简介和适合谁学最多各写 %(most)s 个字。"),
            found=longest,
            required=LONGEST_TEXT,
            params={"most": LONGEST_TEXT},
            next_step=gettext_noop("请写短一些。"),
            status=400,
        )
