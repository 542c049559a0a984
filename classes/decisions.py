"""What a decision on a filing needs, whether an officer's form or the province's receipt brings it (F9)."""

import datetime
from collections.abc import Collection

from django.utils import timezone

from classes.models import Filing
from classes.standing import lasting_findings_on
from policy.messages import gettext_noop
from policy.refusals import Refusal


def judge_decision(
    filing: Filing,
    *,
    approved: bool,
    reason: str,
    number: str,
    at: datetime.datetime,
    accepted: Collection[str] = (),
    decided_on: datetime.date | None = None,
) -> None:
    """Raise Refusal `reason_missing`, `filing_number_missing` (400), `decision_day_impossible`,
    `exceptions_not_accepted`, `start_has_passed`, or `standing_lost` where the lecturer or the institution
    was struck off, the designation does not hold for the class or its lecturer or assistant is no longer in
    office or is on its roster (T3, Q9, I1, F13, F14).

    Who approves accepts every exception that the submission asks for, one by one; a receipt of the province
    says nothing of them, so a filing with exceptions is decided on the platform. What the province decided on
    `decided_on`, its 办理日期, was in time if that day is, however late its receipt comes.
    """
    training_class = filing.training_class
    if decided_on is not None:
        _judge_day(filing, decided_on, at)
    if not approved:
        if not reason:
            raise Refusal(
                "reason_missing",
                gettext_noop("退回补正要写明理由。"),
                found=False,
                required=True,
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
    asked = [exception["code"] for exception in filing.exceptions]
    if unasked := sorted(set(accepted) - set(asked)):
        raise Refusal(
            "exception_unknown",
            gettext_noop("认可的例外里有 %(count)s 项没有申请过。"),
            found=unasked[0][:60],
            required=sorted(asked),
            rule="H11",
            params={"count": len(unasked)},
            next_step=gettext_noop("请照备案里申请的例外逐项认可。"),
            status=400,
        )
    if not set(asked) <= set(accepted):
        raise Refusal(
            "exceptions_not_accepted",
            gettext_noop("这次备案申请了 %(count)s 项例外，同意备案要逐项认可。"),
            found=sorted(set(asked) & set(accepted)),
            required=sorted(asked),
            rule=filing.exceptions[0]["row"],
            params={"count": len(asked)},
            next_step=gettext_noop("请在平台的审核页逐项看过、勾选认可；不认可的，退回补正。"),
        )
    today = timezone.localdate(at)
    decided = decided_on or today
    if training_class.starts_on < decided:
        raise Refusal(
            "start_has_passed",
            gettext_noop("开班日期 %(starts)s 已经过了，不能再同意。"),
            found=training_class.starts_on,
            required=decided,
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


def _judge_day(filing: Filing, day: datetime.date, at: datetime.datetime) -> None:
    """The province cannot have decided before it was asked, nor tomorrow."""
    asked, today = timezone.localdate(filing.submitted_at), timezone.localdate(at)
    if not asked <= day <= today:
        raise Refusal(
            "decision_day_impossible",
            gettext_noop("办理日期 %(day)s 不在提交备案（%(asked)s）和今天之间。"),
            found=day,
            required=[asked, today],
            rule="F8",
            params={"day": day, "asked": asked},
            next_step=gettext_noop("请向省系统核对办理日期。"),
        )
