"""Who draws up a claim, who decides it, who may see it."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext_noop

from accounts.models import User
from accounts.permissions import region_prefix, roles_of
from accounts.states import Department, Role
from classes.models import TrainingClass
from classes.permissions import can_decide, can_manage
from classes.states import ClassState
from policy.refusals import Refusal
from subsidies.models import Claim, Objection, PublicNotice


def claims_visible_to(user: User | AnonymousUser) -> QuerySet[Claim]:
    """The claims of one's own institution, and those submitted in the regions one's bureau decides for."""
    visible = Q(pk__in=[])
    if isinstance(user, User) and user.is_active:
        for membership in user.active_memberships:
            bureau = membership.bureau
            if membership.role == Role.MANAGER:
                visible |= Q(institution=membership.institution_id)
            elif membership.role == Role.OFFICER and bureau and bureau.department == Department.HRSS:
                visible |= Q(
                    institution__region__code__startswith=region_prefix(bureau.region),
                    submitted_at__isnull=False,
                )
    return Claim.objects.filter(visible).select_related(
        "training_class__course", "training_class__institution__region", "institution", "notice"
    )


def access_claim(user: User | AnonymousUser, pk: int) -> Claim:
    """A claim this account may see; Http404 otherwise."""
    claim = claims_visible_to(user).filter(pk=pk).first()
    if claim is None:
        raise Http404
    return claim


def access_objection(user: User | AnonymousUser, claim: Claim, pk: int) -> Objection:
    """An objection to a claim that this account decides; Http404 otherwise: it may name who lodged it."""
    objection = Objection.objects.select_related("line", "notice").filter(notice__claim=claim, pk=pk).first()
    if objection is None or not can_decide(user, claim.training_class):
        raise Http404
    return objection


def access_notice(pk: int) -> PublicNotice:
    """A public notice: anybody may see it; Http404 where there is none."""
    notice = (
        PublicNotice.objects.select_related(
            "claim__training_class__course",
            "claim__training_class__institution__region",
            "claim__institution",
        )
        .filter(pk=pk)
        .first()
    )
    if notice is None:
        raise Http404
    return notice


def classes_to_claim(user: User | AnonymousUser) -> QuerySet[TrainingClass]:
    """Finished classes of the institutions this account manages that have no claim yet, the oldest first."""
    managed = (
        [m.institution_id for m in user.active_memberships if m.role == Role.MANAGER]
        if isinstance(user, User)
        else []
    )
    return (
        TrainingClass.objects.filter(institution__in=managed, state=ClassState.FINISHED, claim__isnull=True)
        .select_related("course")
        .order_by("finished_at", "pk")
    )


def require_manager(user: User, training_class: TrainingClass) -> None:
    """Raise Refusal `manager_required` (403) unless the actor manages the class's institution."""
    if not can_manage(user, training_class):
        raise Refusal(
            "manager_required",
            gettext_noop("补贴申请由培训机构的管理员来办。"),
            found=roles_of(user),
            required=Role.MANAGER,
            rule="F16",
            next_step=gettext_noop("请联系本机构管理员。"),
            status=403,
        )


def require_officer(user: User, claim: Claim) -> None:
    """Raise Refusal `officer_required` (403): an institution can never enter its own approval."""
    if not can_decide(user, claim.training_class):
        raise Refusal(
            "officer_required",
            gettext_noop("受理、公示和核定由人社部门经办人员来办。"),
            found=roles_of(user),
            required=Role.OFFICER,
            rule="Q4",
            next_step=gettext_noop("请等待人社部门办理。"),
            status=403,
        )


def may_object(user: User | AnonymousUser) -> bool:
    """Everybody may object to a notice (Q6), but a read-only account writes nothing: its holder does so as
    anybody else, signed out.
    """
    return not (isinstance(user, User) and user.has_role(Role.REGULATOR))


def require_may_object(user: User | AnonymousUser) -> None:
    """Raise Refusal `account_read_only` (403) for an account that only reads."""
    if may_object(user):
        return
    raise Refusal(
        "account_read_only",
        gettext_noop("监管账号只能查看，不能提异议。"),
        found=roles_of(user),
        required=[],
        rule="P19",
        next_step=gettext_noop("请退出登录，以个人身份提。"),
        status=403,
    )
