"""States of a claim and an objection, and the moves between them."""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class ClaimState(models.TextChoices):
    DRAFT = "draft", _("草稿")
    SUBMITTED = "submitted", _("待受理")
    RETURNED = "returned", _("退回补正")
    NOTICED = "noticed", _("公示中")
    APPROVED = "approved", _("已核定")
    REJECTED = "rejected", _("不予补贴")


# The officer accepts a claim by opening its public notice (Q5); the decision follows when the notice has
# ended. Redrawing computes the lines again while nothing is before the office.
CLAIM_MOVES: Mapping[str, Mapping[str, str]] = {
    ClaimState.DRAFT: {"submit": ClaimState.SUBMITTED, "redraw": ClaimState.DRAFT},
    ClaimState.SUBMITTED: {"notice": ClaimState.NOTICED, "return": ClaimState.RETURNED},
    ClaimState.RETURNED: {"submit": ClaimState.SUBMITTED, "redraw": ClaimState.RETURNED},
    ClaimState.NOTICED: {"approve": ClaimState.APPROVED, "reject": ClaimState.REJECTED},
    ClaimState.APPROVED: {},
    ClaimState.REJECTED: {},
}
DECIDED_STATES = (ClaimState.APPROVED, ClaimState.REJECTED)


class ObjectionState(models.TextChoices):
    OPEN = "open", _("待答复")
    UPHELD = "upheld", _("成立")
    DISMISSED = "dismissed", _("不成立")


OBJECTION_MOVES: Mapping[str, Mapping[str, str]] = {
    ObjectionState.OPEN: {"uphold": ObjectionState.UPHELD, "dismiss": ObjectionState.DISMISSED},
    ObjectionState.UPHELD: {},
    ObjectionState.DISMISSED: {},
}
