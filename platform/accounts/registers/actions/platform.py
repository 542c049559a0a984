"""What is reported to the province about the platform (N2)."""

import datetime
import hashlib
import json
from collections.abc import Mapping

from django.db import transaction

import audit
from accounts.models import User
from accounts.permissions import require_role
from accounts.registers.models import PlatformReport
from accounts.states import Role
from policy.classes import PlatformField, judge_platform_report
from policy.messages import gettext_noop
from policy.refusals import Refusal


def save_report(*, fields: Mapping[PlatformField, str], actor: User, at: datetime.datetime) -> PlatformReport:
    """Keep a new report of the five facts; the one before stays, the same one again changes nothing.

    Raises Refusal `platform_report` (400) while one of them is blank, `role_required` (403).
    """
    require_role(actor, Role.OPERATOR)
    given = {field.value: fields.get(field, "").strip() for field in PlatformField}
    finding = judge_platform_report({PlatformField(name): value for name, value in given.items()})
    if not finding.passed:
        raise Refusal(
            finding.code,
            finding.message,
            found=finding.actual,
            required=finding.required,
            rule=finding.row,
            params=finding.params,
            next_step=gettext_noop("请把每一项都填上再保存。"),
            status=400,
        )
    with transaction.atomic():
        last = PlatformReport.objects.first()
        if last is not None and all(getattr(last, name) == value for name, value in given.items()):
            return last
        report = PlatformReport.objects.create(saved_at=at, saved_by=actor, **given)
        digest = hashlib.sha256(json.dumps(given, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        audit.record(
            "platform.reported",
            actor_id=actor.pk,
            subject="platform/record",
            facts={"report": report.pk, "name": report.name, "report_digest": digest},
            at=at,
        )
    return report
