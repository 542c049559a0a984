"""A version: outline, publishing for good, the next one, and what classes make of it (A2, H1, H2)."""

import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import Http404

from accounts.models import User
from audit.models import Entry
from classes import actions as class_actions
from classes.actions.filing import snapshot_of
from classes.checks import check_draft
from classes.reviews import differences
from classes.timetables import drafts_of
from config.demo.cast import Cast
from courses import permissions
from courses.actions import (
    CourseDetails,
    create_course,
    draft_version,
    publish_version,
    retire_version,
    set_outline,
    update_course,
)
from courses.models import Course, CourseVersion, OutlineUnit
from courses.outlines import UnitDraft, hours_of, outline_digest, units_of
from policy.refusals import Refusal
from policy.terms import HourKind
from tests.classes.conftest import school
from tests.classes.school import School

UNITS = [
    UnitDraft(kind=HourKind.LIVE, hours=Decimal(2), title="认识创业"),
    UnitDraft(kind=HourKind.HOMEWORK, hours=Decimal("1.5"), title="写一页想法"),
]
DETAILS = CourseDetails(name="返乡创业入门", course_type="GYB", origin="platform")

__all__ = ["school"]


@pytest.fixture
def operator(cast: Cast) -> User:
    return cast.operator


@pytest.fixture
def drafted(operator: User, now: datetime.datetime) -> CourseVersion:
    """The operator's course with an outline, not published."""
    course = create_course(details=DETAILS, actor=operator, at=now)
    return set_outline(version=course.versions.get(), units=UNITS, notes="", actor=operator, at=now)


@pytest.fixture
def published(drafted: CourseVersion, operator: User, now: datetime.datetime) -> CourseVersion:
    return publish_version(version=drafted, actor=operator, at=now)


def code_of(error: pytest.ExceptionInfo[Refusal]) -> tuple[str, int]:
    return error.value.code, error.value.status


# --- who ---


def test_a_managers_course_belongs_to_their_institution(cast: Cast, now: datetime.datetime) -> None:
    course = create_course(details=DETAILS, actor=cast.manager, at=now)
    assert (course.institution, course.origin) == (cast.school, "institution")
    assert permissions.can_edit(cast.manager, course)
    assert not permissions.can_edit(cast.rival, course)


def test_a_draft_is_nothing_to_a_rival_and_to_the_public(cast: Cast, now: datetime.datetime) -> None:
    course = create_course(details=DETAILS, actor=cast.manager, at=now)
    for user in (cast.rival, cast.learner):
        with pytest.raises(Http404):
            permissions.access_course(user, course.pk)
        with pytest.raises(Http404):
            draft_version(course=course, actor=user, at=now)
    assert course.versions.count() == 1


def test_a_manager_sees_the_platforms_course_and_may_not_change_it(
    published: CourseVersion, cast: Cast, now: datetime.datetime
) -> None:
    entries = Entry.objects.count()
    with pytest.raises(Refusal) as error:
        retire_version(version=published, actor=cast.manager, at=now)
    assert code_of(error) == ("not_the_editor", 403)
    published.refresh_from_db()
    assert (published.state, Entry.objects.count()) == ("published", entries)


def test_a_learner_enters_no_course(cast: Cast, now: datetime.datetime) -> None:
    with pytest.raises(Refusal) as error:
        create_course(details=DETAILS, actor=cast.learner, at=now)
    assert code_of(error) == ("role_required", 403)
    assert not Course.objects.exists()


# --- what is said about a course ---


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "course_name_missing"),
        ({"course_type": ""}, "course_type_missing"),
        ({"origin": "moon"}, "course_origin_unknown"),
        ({"origin": "converted"}, "course_original_missing"),
        ({"summary": "长" * 2001}, "course_text_too_long"),
    ],
)
def test_a_course_needs_its_facts(
    changes: dict[str, str], code: str, operator: User, now: datetime.datetime
) -> None:
    values = {name: getattr(DETAILS, name) for name in CourseDetails.__dataclass_fields__} | changes
    with pytest.raises(Refusal) as error:
        create_course(details=CourseDetails(**values), actor=operator, at=now)
    assert error.value.code == code
    assert not Course.objects.exists()


def test_two_courses_never_share_a_name_but_may_share_an_original(
    operator: User, now: datetime.datetime
) -> None:
    first, second = (
        CourseDetails(name=name, course_type="GYB", origin="converted", original="《老课》")
        for name in ("新课一", "新课二")
    )
    one, two = (create_course(details=details, actor=operator, at=now) for details in (first, second))
    assert one.converted_from == two.converted_from
    with pytest.raises(Refusal) as error:
        create_course(details=first, actor=operator, at=now)
    assert error.value.code == "course_name_taken"


def test_the_type_stays_once_a_version_was_published(
    published: CourseVersion, operator: User, now: datetime.datetime
) -> None:
    other = CourseDetails(name=DETAILS.name, course_type="SYB", origin="platform")
    with pytest.raises(Refusal) as error:
        update_course(course=published.course, details=other, actor=operator, at=now)
    assert error.value.code == "course_type_fixed"


def test_the_same_details_again_leave_no_evidence(
    drafted: CourseVersion, operator: User, now: datetime.datetime
) -> None:
    entries = Entry.objects.count()
    update_course(course=drafted.course, details=DETAILS, actor=operator, at=now)
    set_outline(version=drafted, units=UNITS, notes="", actor=operator, at=now)
    assert Entry.objects.count() == entries


# --- publishing for good ---


def test_publishing_keeps_the_digest_of_the_outline_in_the_log(
    published: CourseVersion, now: datetime.datetime
) -> None:
    assert published.outline_digest == outline_digest(UNITS)
    entry = Entry.objects.get(kind="course.version_published")
    assert entry.subject == published.subject
    assert entry.facts["outline"] == published.outline_digest
    assert hours_of(published) == {HourKind.LIVE: Decimal(2), HourKind.HOMEWORK: Decimal("1.5")}


def test_an_empty_outline_is_not_published(operator: User, now: datetime.datetime) -> None:
    course = create_course(details=DETAILS, actor=operator, at=now)
    with pytest.raises(Refusal) as error:
        publish_version(version=course.versions.get(), actor=operator, at=now)
    assert error.value.code == "outline_empty"


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        (UnitDraft(kind=HourKind.LIVE, hours=Decimal(1), title=" "), "outline_title_missing"),
        (UnitDraft(kind=HourKind.LIVE, hours=Decimal(0), title="一"), "outline_hours_out_of_range"),
        (UnitDraft(kind=HourKind.LIVE, hours=Decimal("99.01"), title="一"), "outline_hours_out_of_range"),
        (UnitDraft(kind=HourKind.LIVE, hours=Decimal("0.001"), title="一"), "outline_hours_out_of_range"),
    ],
)
def test_a_line_that_says_nothing_is_refused_and_the_old_outline_stays(
    unit: UnitDraft, code: str, drafted: CourseVersion, operator: User, now: datetime.datetime
) -> None:
    with pytest.raises(Refusal) as error:
        set_outline(version=drafted, units=[unit], notes="", actor=operator, at=now)
    assert error.value.code == code
    assert units_of(drafted) == UNITS


def test_a_published_version_refuses_changes_from_actions_and_from_sql(
    published: CourseVersion, operator: User, now: datetime.datetime
) -> None:
    with pytest.raises(Refusal) as error:
        set_outline(version=published, units=UNITS[:1], notes="", actor=operator, at=now)
    assert error.value.code == "version_published"
    unit = published.outline.get(position=1)
    attacks = (
        lambda: OutlineUnit.objects.filter(pk=unit.pk).update(hours=9),
        lambda: OutlineUnit.objects.filter(pk=unit.pk).delete(),
        lambda: OutlineUnit.objects.create(
            version=published, position=9, kind="live", hours=1, title="多出来"
        ),
        lambda: CourseVersion.objects.filter(pk=published.pk).update(notes="改一改"),
        lambda: CourseVersion.objects.filter(pk=published.pk).update(
            state="draft", published_at=None, outline_digest=""
        ),
        lambda: CourseVersion.objects.filter(pk=published.pk)._raw_delete("default"),
    )
    for attack in attacks:
        with pytest.raises(IntegrityError, match="does not change"), transaction.atomic():
            attack()
    assert units_of(published) == UNITS


def test_the_next_version_begins_as_a_copy_and_leaves_the_last_one_alone(
    published: CourseVersion, operator: User, now: datetime.datetime
) -> None:
    second = draft_version(course=published.course, actor=operator, at=now)
    assert (second.number, second.state, units_of(second)) == (2, "draft", UNITS)
    assert draft_version(course=published.course, actor=operator, at=now) == second
    set_outline(version=second, units=UNITS[:1], notes="只留直播", actor=operator, at=now)
    assert (units_of(published), units_of(second)) == (UNITS, UNITS[:1])


def test_publishing_twice_is_once(published: CourseVersion, operator: User, now: datetime.datetime) -> None:
    again = publish_version(version=published, actor=operator, at=now + datetime.timedelta(days=1))
    assert again.published_at == now
    assert Entry.objects.filter(kind="course.version_published").count() == 1


# --- classes ---


def next_version(course: Course, units: list[UnitDraft], actor: User, at: datetime.datetime) -> CourseVersion:
    version = draft_version(course=course, actor=actor, at=at)
    set_outline(version=version, units=units, notes="", actor=actor, at=at)
    return publish_version(version=version, actor=actor, at=at)


def test_a_new_class_takes_the_newest_published_version_and_keeps_it(
    school: School, operator: User, now: datetime.datetime
) -> None:
    training_class = school.create()
    first = training_class.course_version
    assert first is not None
    second = next_version(school.course, [*units_of(first), *UNITS], operator, now)
    kept = class_actions.update_class(
        training_class=training_class, details=school.details(), actor=school.cast.manager, at=now
    )
    assert kept.course_version == first
    changed = class_actions.update_class(
        training_class=training_class,
        details=school.details(course_version=second),
        actor=school.cast.manager,
        at=now,
    )
    assert changed.course_version == second
    assert school.create(name="另一个班").course_version == second
    changes = Entry.objects.filter(kind="class.changed", subject=training_class.subject)
    assert [entry.facts["course_version"] for entry in changes] == [second.pk]


def test_filing_freezes_the_version_and_the_snapshot_names_it(
    school: School, operator: User, now: datetime.datetime
) -> None:
    filing = school.filed()
    version = filing.training_class.course_version
    assert version is not None
    assert filing.snapshot["course"]["version"] == {
        "id": version.pk,
        "number": 1,
        "outline_digest": version.outline_digest,
    }
    second = next_version(school.course, [*units_of(version), *UNITS], operator, now)
    with pytest.raises(Refusal) as error:
        class_actions.update_class(
            training_class=filing.training_class,
            details=school.details(course_version=second),
            actor=school.cast.manager,
            at=now,
        )
    assert error.value.code == "class_not_editable"
    assert snapshot_of(filing.training_class) == filing.snapshot


def test_the_officer_sees_that_another_version_was_filed(
    school: School, operator: User, now: datetime.datetime
) -> None:
    training_class = school.ready()
    before = snapshot_of(training_class)
    assert training_class.course_version is not None
    second = next_version(school.course, [*units_of(training_class.course_version), *UNITS], operator, now)
    after = snapshot_of(
        class_actions.update_class(
            training_class=training_class,
            details=school.details(course_version=second),
            actor=school.cast.manager,
            at=now,
        )
    )
    assert [(one.part, one.old, one.new) for one in differences(before, after)] == [
        ("课程版本", "第 1 版", "第 2 版")
    ]


def test_an_outline_that_is_too_short_fails_the_class(
    school: School, operator: User, now: datetime.datetime
) -> None:
    training_class = school.ready()
    short = next_version(school.course, UNITS, operator, now)
    changed = class_actions.update_class(
        training_class=training_class,
        details=school.details(course_version=short),
        actor=school.cast.manager,
        at=now,
    )
    check = check_draft(changed, drafts_of(changed.lessons.all()), filed_on=now.date())
    assert "outline_covers_hours" in {finding.code for finding in check.failed}


def test_a_retired_version_takes_no_new_class_and_leaves_the_old_one(
    school: School, operator: User, now: datetime.datetime
) -> None:
    training_class = school.create()
    assert training_class.course_version is not None
    retire_version(version=training_class.course_version, actor=operator, at=now)
    with pytest.raises(Refusal) as error:
        school.create(name="另一个班")
    assert error.value.code == "course_not_published"
    kept = class_actions.update_class(
        training_class=training_class, details=school.details(), actor=school.cast.manager, at=now
    )
    assert kept.course_version == training_class.course_version


def test_another_institutions_own_course_is_not_open(
    school: School, cast: Cast, now: datetime.datetime
) -> None:
    course = create_course(details=DETAILS, actor=cast.rival, at=now)
    version = set_outline(version=course.versions.get(), units=UNITS, notes="", actor=cast.rival, at=now)
    publish_version(version=version, actor=cast.rival, at=now)
    with pytest.raises(Refusal) as error:
        school.create(course=course)
    assert error.value.code == "course_not_open"


def test_a_version_of_another_course_is_unfit(school: School, published: CourseVersion) -> None:
    with pytest.raises(Refusal) as error:
        school.create(course_version=published)
    assert code_of(error) == ("course_version_unfit", 400)


def test_the_database_keeps_one_draft_a_course(drafted: CourseVersion, now: datetime.datetime) -> None:
    with pytest.raises(IntegrityError, match="course_one_draft_at_a_time"), transaction.atomic():
        CourseVersion.objects.create(course=drafted.course, number=2, created_at=now)
    connection.check_constraints()
