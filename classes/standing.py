"""Who stands behind a class when it is judged: lecturer, institution, platform (T1-T3, I1, Q8, Q9, P0)."""

import datetime
from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from accounts.editions import edition as find_edition
from accounts.registers import queries
from classes.models import TrainingClass
from policy.classes import judge_institution
from policy.editions import Edition
from policy.findings import Finding
from policy.refusals import Refusal

SUBJECTS = {
    "lecturer_route": (_("讲师资格"), ""),
    "lecturer_in_good_standing": (_("取消讲师资格"), ""),
    "rectification": (_("限期改正"), ""),
    "training_qualification": (_("取消培训资格"), ""),
    "platform_eligible": (_("平台基本条件"), "≥"),
}


def findings_on(training_class: TrainingClass, filed_on: datetime.date) -> Iterable[Finding]:
    """The findings of the registers on a class as it stands; a provider of `classes.checks`."""
    edition = find_edition(training_class.edition)
    yield from _institution(edition, training_class, filed_on)
    yield from _lecturer(edition, training_class)
    yield queries.judge_this_platform(training_class.starts_on)[0]


def lasting_findings_on(training_class: TrainingClass, on: datetime.date) -> list[Finding]:
    """What still has to hold when an office approves on `on`: who is designated and who was struck off
    (I1, T3, Q9).
    """
    return [finding for finding in findings_on(training_class, on) if finding.row in ("I1", "T3", "Q9")]


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
        return queries.judge_lecturer_between(
            edition, training_class.lecturer_id, training_class.starts_on, training_class.ends_on
        )
    except Refusal as refusal:
        return [Finding.of_refusal(refusal)]
