"""Who draws up a claim, who decides it, who may see it."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_noop

from accounts.models import User
from accounts.permissions import region_prefix
from accounts.states import Role
from classes.permissions import can_decide, can_manage
from policy.refusals import Refusal
from subsidies.models import Claim


def claims_visible_to(user: User | AnonymousUser) -> QuerySet[Claim]:
    """The claims of one's own institution, or of the regions one's bureau decides for."""
    claims = Claim.objects.select_related("training_class__course", "institution")
    if isinstance(user, User):
        for membership in user.active_memberships:
            if membership.role == Role.MANAGER:
                return claims.filter(institution_id=membership.institution_id)
            if membership.role == Role.OFFICER and membership.bureau:
                return claims.filter(
                    institution__region__code__startswith=region_prefix(membership.bureau.region)
                )
    return claims.none()


def access_claim(user: User | AnonymousUser, pk: int) -> Claim:
    """A claim this account may see; Http404 otherwise."""
    claim = claims_visible_to(user).filter(pk=pk).first()
    if claim is None:
        raise Http404
    return claim


def require_manager(user: User, claim: Claim) -> None:
    """Raises Refusal `manager_required` (403) unless the actor manages the claiming institution."""
    if not can_manage(user, claim.training_class):
        raise Refusal(
            "manager_required",
            gettext_noop("补贴申请由培训机构的管理员来办。"),
            rule="F16",
            next_step=gettext_noop("请联系本机构管理员。"),
            status=403,
        )


def require_officer(user: User, claim: Claim) -> None:
    """Raises Refusal `officer_required` (403): an institution can never enter its own approval."""
    if not can_decide(user, claim.training_class):
        raise Refusal(
            "officer_required",
            gettext_noop("受理、公示和核定由人社部门经办人员来办。"),
            rule="Q4",
            next_step=gettext_noop("请等待人社部门办理。"),
            status=403,
        )
