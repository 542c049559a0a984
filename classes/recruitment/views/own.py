"""The signed-in applicant: where do I stand, hand in a document, take it back (F1)."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from classes.queries import classes_visible_to
from classes.recruitment import actions, queries
from classes.recruitment.forms import FIELD_OF_REFUSAL, LateDocumentForm, show_refusal
from classes.recruitment.models import Registration
from classes.recruitment.permissions import access_own_registration
from classes.recruitment.standing import standing_of
from classes.recruitment.states import REGISTRATION_MOVES
from policy.refusals import Refusal


@login_required
@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Everything the person registered for, each with its six stages and what comes next."""
    user = request.user
    if not isinstance(user, User) or user.person is None:
        raise Http404
    return render(
        request,
        "recruitment/mine.html",
        {
            "rows": [
                (
                    registration,
                    standing_of(registration),
                    list(
                        queries.evidence_of(registration.institution_id, bytes(registration.id_number_index))
                    ),
                    "withdraw" in REGISTRATION_MOVES[registration.state],
                )
                for registration in queries.registrations_of(user.person)
            ],
            "visible": set(classes_visible_to(user).order_by().values_list("pk", flat=True)),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what taking it back does, then do it."""
    registration = access_own_registration(request.user, pk)
    if request.method == "POST":
        assert isinstance(request.user, User)
        actions.withdraw_registration(registration=registration, actor=request.user, at=timezone.now())
        messages.success(request, _("已撤回报名，证明照片已经销毁。"))
        return redirect("recruitment:mine")
    if "withdraw" not in REGISTRATION_MOVES[registration.state]:
        return redirect("recruitment:mine")
    return render(request, "recruitment/withdraw.html", {"registration": registration})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def hand_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in a document for the category later."""
    registration = access_own_registration(request.user, pk)
    form = LateDocumentForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        initial={"category": registration.category},
    )
    return document_page(request, form, registration, registration.name, "recruitment:mine")


def document_page(
    request: HttpRequest,
    form: LateDocumentForm,
    registration: Registration,
    name: str,
    back: str,
    *back_args: int,
) -> HttpResponse:
    """The form for a document, shared by the applicant and the institution's desk."""
    assert isinstance(request.user, User)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            document = form.document_as(form.cleaned_data["category"])
            assert document is not None  # its name is required here
            actions.hand_in(
                institution=registration.institution,
                index=bytes(registration.id_number_index),
                document=document,
                registration=registration,
                actor=request.user,
                at=timezone.now(),
            )
        except Refusal as refusal:
            show_refusal(form, refusal, FIELD_OF_REFUSAL.get(refusal.code))
            status = refusal.status
        else:
            messages.success(request, _("材料已提交，等机构核对。"))
            return redirect(back, *back_args)
    elif request.method == "POST":
        status = 400
    return render(
        request,
        "recruitment/document.html",
        {"form": form, "name": name, "registration": registration, "back": (back, back_args)},
        status=status,
    )
