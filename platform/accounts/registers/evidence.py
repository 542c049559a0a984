"""What the registers leave in the evidence log: a reason enters as its digest, a picture as that of its
ciphertext.
"""

import datetime

from django.utils.translation import gettext_lazy as _

from accounts.registers.states import DocumentKind, Ground, MeasureKind, QualificationState, Route
from audit.kinds import Digest, Kind, register


def register_kinds() -> None:
    """Make this app's kinds known to the log."""
    register(
        Kind(
            "qualification.saved",
            sentence=_("登记讲师资格：{route}，发证日期 {certified_on}"),
            schema={
                "qualification": int,
                "person": int,
                "route": Route,
                "number": str,
                "certified_on": datetime.date,
                "training_since": datetime.date | None,
            },
        ),
        Kind(
            "qualification.moved",
            sentence=_("讲师资格：{state}"),
            schema={
                "qualification": int,
                "person": int,
                "state": QualificationState,
                "reason": Digest | None,
                "documents": list[int],
            },
        ),
        Kind(
            "register.document_added",
            sentence=_("登记材料：{kind}，有效期 {valid_from} 至 {valid_until}"),
            schema={
                "document": int,
                "kind": DocumentKind,
                "condition": str,
                "valid_from": datetime.date | None,
                "valid_until": datetime.date | None,
                "picture": Digest,
            },
        ),
        Kind("register.document_seen", sentence=_("打开登记材料的照片"), schema={"document": int}),
        Kind("register.document_retired", sentence=_("登记材料作废"), schema={"document": int}),
        Kind(
            "measure.ordered",
            sentence=_("{kind}，自 {since} 起生效，改正期限 {deadline}"),
            schema={
                "measure": int,
                "kind": MeasureKind,
                "person": int | None,
                "institution": int | None,
                "row": Ground,
                "ground": Digest,
                "since": datetime.date,
                "deadline": datetime.date | None,
                "announced": bool,
                "bureau": int,
            },
        ),
        Kind(
            "measure.ended",
            sentence=_("{kind}自 {ended_on} 起解除"),
            schema={"measure": int, "kind": MeasureKind, "ended_on": datetime.date, "reason": Digest},
        ),
        Kind(
            "platform.reported",
            sentence=_("登记平台备案信息：{name}"),
            schema={"report": int, "name": str, "report_digest": Digest},
        ),
    )
