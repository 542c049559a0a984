"""States of an attempt and a certificate, and the moves between them."""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class QuestionKind(models.TextChoices):
    SINGLE = "single", _("单选题")
    MULTIPLE = "multiple", _("多选题")
    JUDGEMENT = "judgement", _("判断题")


class AttemptState(models.TextChoices):
    RUNNING = "running", _("答题中")
    SUBMITTED = "submitted", _("已交卷")


ATTEMPT_MOVES: Mapping[str, Mapping[str, str]] = {
    AttemptState.RUNNING: {"submit": AttemptState.SUBMITTED},
    AttemptState.SUBMITTED: {},
}


class CertificateState(models.TextChoices):
    VALID = "valid", _("有效")
    REVOKED = "revoked", _("已撤销")


CERTIFICATE_MOVES: Mapping[str, Mapping[str, str]] = {
    CertificateState.VALID: {"revoke": CertificateState.REVOKED},
    CertificateState.REVOKED: {},
}
