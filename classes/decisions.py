"""What a decision on a filing needs, whether an officer's form or the province's receipt brings it (F9)."""

import datetime

from django.utils import timezone

from classes.models import TrainingClass
from classes.standing import lasting_findings_on
from policy.messages import gettext_noop
from policy.refusals import Refusal


def judge_decision(
    training_class: TrainingClass, *, approved: bool, reason: str, number: str, at: datetime.datetime
) -> None:
    """Raise Refusal `reason_missing`, `filing_number_missing` (400), `start_has_passed`, or
    `standing_lost` where the lecturer or the institution was struck off since the submission (T3, Q9).
    """
    if not approved:
        if not reason:
            raise Refusal(
                "reason_missing",
                gettext_noop("退回补正要写明理由。"),
                rule="F9",
                next_step=gettext_noop("请写清楚哪里要改，机构照着改。"),
                status=400,
            )
        return
    if not number or len(number) > 40:
        raise Refusal(
            "filing_number_missing",
            gettext_noop("同意备案要填备案编号，最多 40 个字。"),
            found=len(number),
            required="1–40",
            rule="F8",
            next_step=gettext_noop("请填省系统里的备案编号。"),
            status=400,
        )
    today = timezone.localdate(at)
    if training_class.starts_on < today:
        raise Refusal(
            "start_has_passed",
            gettext_noop("开班日期 %(starts)s 已经过了，不能再同意。"),
            found=training_class.starts_on,
            required=today,
            rule="F9",
            params={"starts": training_class.starts_on},
            next_step=gettext_noop("请退回补正，让机构改开班日期和课表。"),
        )
    lost = [one for one in lasting_findings_on(training_class, today) if one.blocks]
    if lost:
        raise Refusal(
            "standing_lost",
            lost[0].message,
            found=lost[0].actual,
            required=lost[0].required,
            rule=lost[0].row,
            params=lost[0].params,
            next_step=gettext_noop("请退回补正，写明理由。"),
            details={"findings": lost},
        )
