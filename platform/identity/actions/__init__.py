"""Everything this app writes. Locks: the person first (FOR NO KEY UPDATE), then the check; evidence last."""

from identity.actions.checks import (
    check_face,
    expire_pictures,
    judge_check,
    open_picture,
    request_check,
    request_enrolment,
    review_face_check,
)
from identity.actions.codes import issue_code, redeem_code
from identity.actions.consents import give_consent, withdraw_consent
from identity.actions.templates import destroy_expired_templates, enrol_face

__all__ = [
    "check_face",
    "destroy_expired_templates",
    "enrol_face",
    "expire_pictures",
    "give_consent",
    "issue_code",
    "judge_check",
    "open_picture",
    "redeem_code",
    "request_check",
    "request_enrolment",
    "review_face_check",
    "withdraw_consent",
]
