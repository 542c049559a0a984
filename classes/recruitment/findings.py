"""What recruitment has to say when a class is judged for filing: evidence, doubles, forms (S6, M1).

Aggregated over the roster: nobody's name is in a finding, and nothing of another institution.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.editions import edition as find_edition
from accounts.models import Person
from classes.models import Enrolment, TrainingClass
from classes.recruitment import queries
from classes.recruitment.models import CategoryEvidence, Registration
from classes.recruitment.states import EvidenceState, RegistrationState
from classes.states import EnrolmentState
from policy.classes import EvidenceRecord, judge_category_evidence, judge_paid_once, judge_working_age
from policy.editions import Edition
from policy.findings import Finding, Outcome
from policy.messages import gettext_noop
from policy.process import Stage, judge_stage_order
from policy.refusals import Refusal
from policy.terms import TraineeCategory

SUBJECTS = {
    "category_evidence": (_("类别证明"), "≥"),
    "paid_once": (_("重复享受补贴"), "≤"),
    "registered_elsewhere": (_("在其他机构报名"), ""),
    "registration_forms": (_("学员报名表"), "≥"),
    "working_age": (_("适龄"), "≤"),
    "course_fitting": (_("课程适合学员"), "≤"),
    "stage_order": (_("推介、筛选在备案以前"), ""),
}


def findings_on(training_class: TrainingClass, filed_on: datetime.date) -> Iterable[Finding]:
    """The findings of this floor on a class as it stands; none for an empty roster."""
    roster = list(
        Enrolment.objects.filter(training_class=training_class, state=EnrolmentState.ACTIVE).select_related(
            "person"
        )
    )
    if not roster:
        return
    edition = find_edition(training_class.edition)
    judges: Sequence[Callable[[], Finding]] = (
        lambda: _ages(edition, training_class, roster),
        lambda: _evidence(edition, training_class, roster),
        lambda: _paid_once(edition, training_class, roster),
        lambda: _elsewhere(training_class, roster),
        lambda: _forms(roster),
        lambda: _fitting(training_class, roster),
        lambda: _stages(roster, filed_on),
    )
    for judge in judges:
        try:
            yield judge()
        except Refusal as refusal:
            yield Finding.of_refusal(refusal)


def judge_trainee(
    edition: Edition,
    enrolment: Enrolment,
    documents: Iterable[CategoryEvidence],
    on: datetime.date,
    *,
    claiming: bool = False,
) -> Finding:
    """Judge one trainee's documents (S1-S6): also against the category under which they stand on the roster.

    A document that was refused does not count; one that waits for its check is not valid yet.
    """
    records = [
        EvidenceRecord(
            category=TraineeCategory(document.category),
            valid_from=document.valid_from,
            valid_until=document.valid_until,
            accepted=document.state == EvidenceState.ACCEPTED,
        )
        for document in documents
        if document.state != EvidenceState.REFUSED
    ]
    if records:
        records.append(EvidenceRecord(TraineeCategory(enrolment.category), accepted=False))
    return judge_category_evidence(edition, records, on, claiming=claiming)


def _ages(edition: Edition, training_class: TrainingClass, roster: Sequence[Enrolment]) -> Finding:
    people = [(TraineeCategory(one.category), one.person.birthday) for one in roster]
    return judge_working_age(edition, people, training_class.starts_on)


def _evidence(edition: Edition, training_class: TrainingClass, roster: Sequence[Enrolment]) -> Finding:
    documents = queries.evidence_of_class(training_class)
    judged = [
        judge_trainee(
            edition, enrolment, documents.get(_index(enrolment.person), ()), training_class.starts_on
        )
        for enrolment in roster
    ]
    missing = [finding for finding in judged if finding.outcome is not Outcome.PASSED]
    blocking = any(finding.blocks for finding in missing)
    return Finding(
        code="category_evidence",
        row="S6",
        passed=not blocking,
        required=len(roster),
        actual=len(roster) - len(missing),
        message=gettext_noop("%(count)s 名学员都有开班当天有效的类别证明。")
        if not missing
        else gettext_noop("%(missing)s 名学员没有开班当天有效、已核对的类别证明，请在申请补贴前补齐。")
        if not blocking
        else gettext_noop("%(missing)s 名学员没有开班当天有效、已核对的类别证明，请补齐再提交。"),
        params={"count": len(roster), "missing": len(missing)},
        reading=judged[0].reading,
        outcome=Outcome.FAILED if blocking else Outcome.NOTED if missing else Outcome.PASSED,
    )


def _paid_once(edition: Edition, training_class: TrainingClass, roster: Sequence[Enrolment]) -> Finding:
    any_type = edition.reading("paid_once").code == "any_course_type"
    earlier: Mapping[int, int] = queries.earlier_classes(
        [enrolment.person_id for enrolment in roster], training_class, any_course_type=any_type
    )
    course_type = training_class.course.course_type
    judged = [judge_paid_once(edition, course_type, earlier.get(one.person_id, 0)) for one in roster]
    again = [finding for finding in judged if finding.outcome is not Outcome.PASSED]
    return Finding(
        code="paid_once",
        row="S6",
        passed=True,
        required=0,
        actual=len(again),
        message=gettext_noop("没有学员重复参加同类培训。")
        if not again
        else gettext_noop("%(count)s 名学员参加过或正在参加同类培训，可以参训，补贴只计一次。"),
        params={"count": len(again)},
        reading=judged[0].reading,
        outcome=Outcome.NOTED if again else Outcome.PASSED,
    )


def _elsewhere(training_class: TrainingClass, roster: Sequence[Enrolment]) -> Finding:
    found = queries.known_elsewhere(
        [_index(enrolment.person) for enrolment in roster],
        institution_id=training_class.institution_id,
        course_type=training_class.course.course_type,
    )
    return Finding(
        code="registered_elsewhere",
        row="S6",
        passed=True,
        required=0,
        actual=len(found),
        message=gettext_noop("没有学员在其他机构报名同类培训。")
        if not found
        else gettext_noop("%(count)s 名学员在其他机构已报名同类培训（不显示机构）。"),
        params={"count": len(found)},
        outcome=Outcome.NOTED if found else Outcome.PASSED,
    )


def _forms(roster: Sequence[Enrolment]) -> Finding:
    filled = Registration.objects.filter(enrolment__in=roster).count()
    return Finding(
        code="registration_forms",
        row="M1",
        passed=True,
        required=len(roster),
        actual=filled,
        message=gettext_noop("%(required)s 名学员都填了报名表。")
        if filled == len(roster)
        else gettext_noop("%(required)s 名学员里 %(filled)s 人在平台填了报名表，其余由花名册导入。"),
        params={"required": len(roster), "filled": filled},
        outcome=Outcome.PASSED if filled == len(roster) else Outcome.NOTED,
    )


def _fitting(training_class: TrainingClass, roster: Sequence[Enrolment]) -> Finding:
    """F6: whoever was assigned after a screening is taught the course type that it found fitting, as when
    they were assigned; the class may have another course by now.
    """
    screened = Registration.objects.filter(enrolment__in=roster, state=RegistrationState.ASSIGNED)
    unfit = screened.exclude(fitting_course__course_type=training_class.course.course_type).count()
    return Finding(
        code="course_fitting",
        row="F6",
        passed=not unfit,
        required=0,
        actual=unfit,
        message=gettext_noop("报名筛选过的学员都适合这门课程。")
        if not unfit
        else gettext_noop(
            "%(count)s 名学员筛选认为适合的不是这类课程。请改回原来的课程，或把他们移出、重新分班。"
        ),
        params={"count": unfit},
    )


def _stages(roster: Sequence[Enrolment], filed_on: datetime.date) -> Finding:
    """F1: promotion and screening came before the filing, as far as this platform knows of them.

    What was done elsewhere leaves no trace here, so a gap is shown to the office and stops nothing.
    """
    came = Registration.objects.filter(enrolment__in=roster).aggregate(
        promoted=Min("campaign__created_at"), held=Min("event__held_on"), screened=Min("screenings__at")
    )
    began = {Stage.FILING: filed_on}
    if came["promoted"] is not None:
        days = [timezone.localdate(came["promoted"]), came["held"]]
        began[Stage.PROMOTION] = min(day for day in days if day is not None)
    if came["screened"] is not None:
        began[Stage.SCREENING] = timezone.localdate(came["screened"])
    finding = judge_stage_order(began)
    return finding if finding.passed else replace(finding, passed=True, outcome=Outcome.NOTED)


def _index(person: Person) -> bytes:
    return bytes(person.id_number_index)
