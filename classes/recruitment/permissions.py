"""Who may see and decide what in recruitment; to everybody else it does not exist (Http404)."""

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from accounts.models import Institution, User
from accounts.permissions import roles_of
from accounts.states import Role
from classes import permissions as class_permissions
from classes.models import TrainingClass
from classes.permissions import managed_institution
from classes.recruitment.models import Campaign, CategoryEvidence, OfflineEvent, Registration
from classes.recruitment.queries import registrations_with_all
from policy.messages import gettext_noop
from policy.refusals import Refusal


def require_institution(user: User | AnonymousUser) -> Institution:
    """The institution that the account manages; raises Refusal `role_required` (403) without one."""
    institution = managed_institution(user)
    if institution is None:
        raise Refusal(
            "role_required",
            gettext_noop("这一步要由%(roles)s来做，当前账号没有这个角色。"),
            found=roles_of(user),
            required=[Role.MANAGER],
            params={"roles": [str(Role.MANAGER.label)]},
            next_step=gettext_noop("请换用有这个角色的账号登录。"),
            status=403,
        )
    return institution


def manages(user: User | AnonymousUser, institution_id: int) -> bool:
    """Whether the account manages this institution."""
    return isinstance(user, User) and any(
        m.role == Role.MANAGER and m.institution_id == institution_id for m in user.active_memberships
    )


def require_manages(user: User, institution_id: int) -> None:
    """Raise Http404 unless the account manages this institution."""
    if not manages(user, institution_id):
        raise Http404


def access_campaign(user: User | AnonymousUser, pk: int) -> Campaign:
    """A campaign of one's own institution."""
    campaign = Campaign.objects.select_related("institution", "course").filter(pk=pk).first()
    if campaign is None or not manages(user, campaign.institution_id):
        raise Http404
    return campaign


def access_event(user: User | AnonymousUser, pk: int) -> OfflineEvent:
    """An offline event of one's own institution."""
    event = (
        OfflineEvent.objects.select_related("campaign__institution", "campaign__course").filter(pk=pk).first()
    )
    if event is None or not manages(user, event.campaign.institution_id):
        raise Http404
    return event


def access_registration(user: User | AnonymousUser, pk: int) -> Registration:
    """A registration at one's own institution; the office and the operator do not see them."""
    registration = registrations_with_all().filter(pk=pk).first()
    if registration is None or not manages(user, registration.institution_id):
        raise Http404
    return registration


def access_own_registration(user: User | AnonymousUser, pk: int) -> Registration:
    """A registration of the signed-in person."""
    if not isinstance(user, User) or user.person is None:
        raise Http404
    registration = registrations_with_all().filter(pk=pk, id_number_index=user.person.id_number_index).first()
    if registration is None:
        raise Http404
    return registration


def access_evidence(user: User | AnonymousUser, pk: int) -> CategoryEvidence:
    """A document of one's own institution, or of a trainee of a class on whose filing one decides (S6)."""
    evidence = CategoryEvidence.objects.select_related("institution__region", "picture").filter(pk=pk).first()
    if evidence is None or not isinstance(user, User):
        raise Http404
    if manages(user, evidence.institution_id) or _decides_on(user, evidence):
        return evidence
    raise Http404


def _decides_on(user: User, evidence: CategoryEvidence) -> bool:
    classes = TrainingClass.objects.select_related("institution__region").filter(
        institution=evidence.institution_id,
        enrolments__person__id_number_index=evidence.id_number_index,
        filings__isnull=False,
    )
    first = classes.first()
    return first is not None and class_permissions.can_decide(user, first)


def access_class_evidence(user: User | AnonymousUser, pk: int) -> TrainingClass:
    """A class whose trainees' evidence one may see: its manager, and the office once it was filed."""
    training_class = class_permissions.access_class(user, pk)
    if class_permissions.can_manage(user, training_class):
        return training_class
    if class_permissions.can_decide(user, training_class) and training_class.filings.exists():
        return training_class
    raise Http404


def access_class_signals(user: User | AnonymousUser, pk: int) -> TrainingClass:
    """A filed class whose recruitment the office looks at (I5); its own school never sees the signals."""
    training_class = class_permissions.access_class(user, pk)
    if class_permissions.can_decide(user, training_class) and training_class.filings.exists():
        return training_class
    raise Http404
