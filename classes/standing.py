"""Who and what stands behind a class when it is judged: lecturer, assistant, institution, platform, course
version (T1-T3, F13, F14, I1, Q8, Q9, P0, A2).
"""

import datetime
from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from accounts.editions import edition as find_edition
from accounts.models import Person
from accounts.registers import queries
from accounts.states import Role
from classes.models import TrainingClass
from classes.queries import staff_of
from classes.states import EnrolmentState
from courses.states import VersionState
from policy.classes import judge_institution
from policy.editions import Edition
from policy.findings import Finding
from policy.messages import Msgid, gettext_noop
from policy.refusals import Refusal

SUBJECTS = {
    "lecturer_route": (_("讲师资格"), ""),
    "lecturer_in_good_standing": (_("取消讲师资格"), ""),
    "rectification": (_("限期改正"), ""),
    "training_qualification": (_("取消培训资格"), ""),
    "platform_eligible": (_("平台基本条件"), "≥"),
    "lecturer_in_office": (_("讲师任职"), ""),
    "assistant_in_office": (_("助教任职"), ""),
    "staff_not_trainees": (_("讲师、助教不是学员"), ""),
    "course_version_in_use": (_("课程版本"), ""),
}

# Role, code, row and what is said of the person who holds it, and of one who no longer does.
_OFFICES: tuple[tuple[Role, str, str, Msgid, Msgid], ...] = (
    (
        Role.LECTURER,
        "lecturer_in_office",
        "F13",
        gettext_noop("讲师在培训机构任职。"),
        gettext_noop("班级的讲师已经不在培训机构任职，或者账号已停用。"),
    ),
    (
        Role.ASSISTANT,
        "assistant_in_office",
        "F14",
        gettext_noop("助教在培训机构任职。"),
        gettext_noop("班级的助教已经不在培训机构任职，或者账号已停用。"),
    ),
)
_LASTING_ROWS = {"I1", "T3", "Q9"}
_LASTING_CODES = {"lecturer_in_office", "assistant_in_office", "staff_not_trainees"}


def findings_on(training_class: TrainingClass, filed_on: datetime.date) -> Iterable[Finding]:
    """The findings of the registers on a class as it stands; a provider of `classes.checks`."""
    edition = find_edition(training_class.edition)
    yield from _institution(edition, training_class, filed_on)
    yield from _lecturer(edition, training_class)
    yield from staff_in_office(training_class)
    yield _staff_not_trainees(training_class)
    yield from _version(training_class)
    yield queries.judge_this_platform(training_class.starts_on)[0]


def lasting_findings_on(training_class: TrainingClass, on: datetime.date) -> list[Finding]:
    """What still has to hold when an office approves on `on`: who is designated, who was struck off, and who
    teaches (I1, T3, Q9, F13, F14). Not the course version: what is filed keeps the one it was filed with.
    """
    found = findings_on(training_class, on)
    return [one for one in found if one.row in _LASTING_ROWS or one.code in _LASTING_CODES]


def staff_in_office(training_class: TrainingClass) -> Iterable[Finding]:
    """Whether lecturer and assistant still hold that role at the class's institution (F13, F14); nothing of
    a place that is empty.
    """
    for role, code, row, held, gone in _OFFICES:
        person = training_class.lecturer_id if role == Role.LECTURER else training_class.assistant_id
        if person is None:
            continue
        holds = staff_of(training_class.institution, role).filter(pk=person).exists()
        yield Finding(
            code=code,
            row=row,
            passed=holds,
            required=None,
            actual=None,
            message=held if holds else gone,
        )


def is_on_roster(training_class: TrainingClass, *people: Person | int | None) -> bool:
    """Whether one of these people is a trainee on the active roster of the class."""
    wanted = [one for one in people if one is not None]
    return (
        training_class.pk is not None
        and bool(wanted)
        and training_class.enrolments.filter(state=EnrolmentState.ACTIVE, person__in=wanted).exists()
    )


def _staff_not_trainees(training_class: TrainingClass) -> Finding:
    met = is_on_roster(training_class, training_class.lecturer_id, training_class.assistant_id)
    return Finding(
        code="staff_not_trainees",
        row="F14",
        passed=not met,
        required=None,
        actual=None,
        message=gettext_noop("讲师和助教不在本班的花名册里。")
        if not met
        else gettext_noop(
            "讲师或助教也在本班的花名册里，不能同时当学员。请移出花名册，或另选一名讲师、助教。"
        ),
    )


def _version(training_class: TrainingClass) -> Iterable[Finding]:
    version = training_class.course_version
    if version is None:
        return
    retired = version.state == VersionState.RETIRED
    yield Finding(
        code="course_version_in_use",
        row="A2",
        passed=not retired,
        required=None,
        actual=None,
        message=gettext_noop("课程第 %(number)s 版在使用。")
        if not retired
        else gettext_noop("课程第 %(number)s 版已停用，不能再用它备案。请换一个已发布的版本。"),
        params={"number": version.number},
    )


def _institution(
    edition: Edition, training_class: TrainingClass, filed_on: datetime.date
) -> Iterable[Finding]:
    try:
        return judge_institution(
            edition,
            designated=_designated_throughout(training_class),
            measures=queries.orders_against(training_class.institution_id),
            starts_on=training_class.starts_on,
            ends_on=training_class.ends_on,
            filed_on=filed_on,
        )
    except Refusal as refusal:
        return [Finding.of_refusal(refusal)]


def _designated_throughout(training_class: TrainingClass) -> bool:
    """A designation is one span of days: who has it on the first and the last day has it between."""
    institution = training_class.institution
    return institution.is_designated_on(training_class.starts_on) and institution.is_designated_on(
        training_class.ends_on
    )


def _lecturer(edition: Edition, training_class: TrainingClass) -> Iterable[Finding]:
    """None without a lecturer: that one is missing is said by F13."""
    if training_class.lecturer_id is None:
        return []
    try:
        found = queries.judge_lecturer_between(
            edition, training_class.lecturer_id, training_class.starts_on, training_class.ends_on
        )
        return queries.without_others_figures(
            found, training_class.lecturer_id, [training_class.institution_id]
        )
    except Refusal as refusal:
        return [Finding.of_refusal(refusal)]
