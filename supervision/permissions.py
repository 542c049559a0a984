"""Who may look, and how far: by the region of the account's bureau (Q1)."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.models import Bureau, Institution, User
from accounts.permissions import region_prefix
from accounts.states import Role
from classes.models import TrainingClass
from classes.states import ClassState
from subsidies.models import Claim

ALIAS = "supervision"
View = Callable[..., HttpResponse]


def bureau_of(user: User) -> Bureau:
    """The bureau for which a supervision account looks; Http404 for every other account."""
    for membership in user.active_memberships:
        if membership.role == Role.REGULATOR and membership.bureau:
            return membership.bureau
    raise Http404


def supervised(view: View) -> View:
    """A page of the supervision house: GET only, supervision accounts only, everybody else gets 404."""

    @require_safe
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        assert isinstance(request.user, User)
        bureau_of(request.user)
        return view(request, *args, **kwargs)

    return guarded


def classes_supervised_by(bureau: Bureau) -> QuerySet[TrainingClass]:
    """Every class that was ever submitted, in the bureau's region, read over the read-only login."""
    return (
        TrainingClass.objects.using(ALIAS)
        .filter(institution__region__code__startswith=region_prefix(bureau.region))
        .exclude(state=ClassState.DRAFT)
        .select_related("institution__region", "course", "lecturer", "assistant")
    )


def institutions_supervised_by(bureau: Bureau) -> QuerySet[Institution]:
    """Every institution in the bureau's region, read over the read-only login."""
    return Institution.objects.using(ALIAS).filter(region__code__startswith=region_prefix(bureau.region))


def claims_supervised_by(bureau: Bureau) -> QuerySet[Claim]:
    """Every claim that was submitted, in the bureau's region, over the read-only login."""
    return (
        Claim.objects.using(ALIAS)
        .filter(
            institution__region__code__startswith=region_prefix(bureau.region), submitted_at__isnull=False
        )
        .select_related("training_class__course", "institution")
    )


def access_class(user: User, pk: int) -> TrainingClass:
    """A class in the account's region, or Http404."""
    found = classes_supervised_by(bureau_of(user)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def access_claim(user: User, pk: int) -> Claim:
    """A claim in the account's region, or Http404."""
    found = claims_supervised_by(bureau_of(user)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
