"""A class's trainees: one of five categories, with evidence, paid once (S1-S6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from policy.editions import Edition
from policy.findings import Finding, Outcome
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.terms import TraineeCategory, course_type_name


def parse_category(raw: str) -> TraineeCategory:
    """Read a trainee's category from its code or its Chinese name (S1-S6).

    Raises:
        Refusal (400): `category_unknown`.
    """
    for category in TraineeCategory:
        if raw.strip() in (category.value, category.label):
            return category
    raise Refusal(
        "category_unknown",
        gettext_noop("没有“%(category)s”这一类学员。"),
        found=raw[:40],
        required=[category.label for category in TraineeCategory],
        rule="S6",
        next_step=gettext_noop("请从五类中选一类：%(categories)s。"),
        params={
            "category": raw[:40],
            "categories": [category.label for category in TraineeCategory],
        },
        status=400,
    )


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """One document that shows a trainee's category. Both days are included; None is without limit."""

    category: TraineeCategory
    valid_from: date | None = None
    valid_until: date | None = None
    accepted: bool = True  # somebody looked at it and did not turn it down

    def is_valid_on(self, day: date) -> bool:
        begun = self.valid_from is None or self.valid_from <= day
        return self.accepted and begun and (self.valid_until is None or day <= self.valid_until)


def judge_category_evidence(
    edition: Edition, records: Sequence[EvidenceRecord], on: date, *, claiming: bool = False
) -> Finding:
    """Judge one trainee's evidence: exactly one category, valid on the reference date (S1-S6).

    `on` is the day the class starts (reading `eligibility_date`). Where the edition wants evidence only by
    the claim (reading `category_evidence_due`), a gap at filing is noted and does not block; with `claiming`
    it does.
    """
    categories = list(dict.fromkeys(record.category for record in records))
    valid = [record for record in records if record.is_valid_on(on)]
    due = edition.reading("category_evidence_due")
    enough = len(categories) == 1 and bool(valid)
    blocking = claiming or due.code == "filing"
    if enough:
        outcome, message = Outcome.PASSED, gettext_noop("按“%(categories)s”参训，%(day)s 有有效的类别证明。")
    else:
        outcome = Outcome.FAILED if blocking else Outcome.NOTED
        message = (
            gettext_noop("还没有类别证明。")
            if not records
            else gettext_noop("每人只能按一个类别申请补贴，现在有 %(count)s 个：%(categories)s。请留一个。")
            if len(categories) > 1
            else gettext_noop("“%(categories)s”的证明在 %(day)s 开班当天无效，请补交。")
        )
    return Finding(
        code="category_evidence",
        row=categories[0].row if len(categories) == 1 else "S6",
        passed=outcome is not Outcome.FAILED,
        required=1,
        actual=len(categories) if len(categories) != 1 else int(enough),
        message=message,
        params={"categories": [one.label for one in categories], "count": len(categories), "day": on},
        reading=edition.reading("eligibility_date") if enough or blocking else due,
        outcome=outcome,
    )


def judge_paid_once(edition: Edition, course_type: str, earlier: int, *, claiming: bool = False) -> Finding:
    """Judge whether a person was paid for before (S6, reading `paid_once`).

    `earlier` counts the person's earlier or parallel claims that the reading is about: of this course type
    (`per_course_type`) or of any (`any_course_type`), at whatever institution. Whoever was paid for may
    still sit in unpaid, so at filing it is only noted; with `claiming` it fails.
    """
    reading = edition.reading("paid_once")
    free = not earlier or reading.code == "each_class"
    outcome = Outcome.PASSED if free else Outcome.FAILED if claiming else Outcome.NOTED
    return Finding(
        code="paid_once",
        row="S6",
        passed=outcome is not Outcome.FAILED,
        required=0,
        actual=earlier,
        message=(
            gettext_noop("%(course_type)s没有重复享受补贴。")
            if free
            else gettext_noop("已经享受过 %(earlier)s 次补贴，%(course_type)s可以参训，但不计入补贴。")
        ),
        params={"course_type": course_type_name(course_type), "earlier": earlier},
        reading=reading,
        outcome=outcome,
    )


def judge_working_age(edition: Edition, people: Sequence[tuple[TraineeCategory, date]], on: date) -> Finding:
    """Judge the ages of a class's trainees, given as category and birthday, on the day it starts (S1).

    The norm asks for "适龄劳动者" among poor families only and gives no age. Nobody under the age of the
    labour law is one, so that fails; any other trainee outside the range is noted for the officer.
    """
    least, most = edition.whole("working_age_from"), edition.whole("working_age_to")
    ages = [(category, _age(born, on)) for category, born in people]
    young = sum(category is TraineeCategory.POOR_FAMILY and age < least for category, age in ages)
    outside = sum(not least <= age <= most for _category, age in ages)
    outcome = Outcome.FAILED if young else Outcome.NOTED if outside else Outcome.PASSED
    message = {
        Outcome.FAILED: gettext_noop(
            "%(young)s 名按“贫困家庭子女”参训的学员不满 %(least)s 周岁，不是适龄劳动者，请移出花名册。"
        ),
        Outcome.NOTED: gettext_noop(
            "%(outside)s 名学员开班当天不满 %(least)s 周岁或超过 %(most)s 周岁，请核对身份和类别。"
        ),
        Outcome.PASSED: gettext_noop("学员开班当天都在 %(least)s 至 %(most)s 周岁之间。"),
    }[outcome]
    return Finding(
        code="working_age",
        row="S1",
        passed=outcome is not Outcome.FAILED,
        required=0,
        actual=outside,
        message=message,
        params={"young": young, "outside": outside, "least": least, "most": most},
        numbers=(edition.parameter("working_age_from"), edition.parameter("working_age_to")),
        outcome=outcome,
    )


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
