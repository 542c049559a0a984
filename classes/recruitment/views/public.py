"""Promotion pages and the registration form: everybody may, nobody needs an account (F2, F3, M1)."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Institution, Person, User
from accounts.phones import parse_phone
from classes.recruitment import actions, privacy, queries, questionnaires, throttle
from classes.recruitment.forms import (
    FIELD_OF_REFUSAL,
    EventCodeForm,
    LookupForm,
    QuestionnaireForm,
    RegistrationForm,
    plain_code,
    show_refusal,
)
from classes.recruitment.models import Campaign, OfflineEvent, Registration, phone_index
from classes.recruitment.permissions import access_own_registration
from classes.recruitment.standing import standing_of
from classes.recruitment.states import CampaignState, RegistrationState
from policy.refusals import Refusal
from policy.words import whole_number

PAGE_SIZE = 50
# The browser that filled in the form may go on to the questionnaire and see where the registration stands.
SESSION_KEY = "recruitment.registration"


@require_safe
def institutions(request: HttpRequest) -> HttpResponse:
    """Designated institutions that recruit now, by region."""
    page = Paginator(queries.recruiting_institutions(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "recruitment/institutions.html", {"page": page})


@require_safe
def institution(request: HttpRequest, pk: int) -> HttpResponse:
    """An institution's promotion page: what it recruits for (F2, F3)."""
    found = get_object_or_404(Institution.objects.select_related("region"), pk=pk)
    return render(
        request,
        "recruitment/institution.html",
        {"institution": found, "campaigns": list(queries.open_campaigns().filter(institution=found))},
    )


@require_safe
def event(request: HttpRequest, code: str) -> HttpResponse:
    """Where a poster's QR code leads: the form, with the source filled in (I4)."""
    found = _event(code)
    if found is None:
        return redirect(f"{reverse('recruitment:entry')}?code={plain_code(code)[:12]}")
    return redirect(f"{reverse('recruitment:register', args=[found.campaign_id])}?event={found.code}")


@require_http_methods(["GET", "HEAD", "POST"])
def entry(request: HttpRequest) -> HttpResponse:
    """Registering begins here: a code from a poster, or a look at who recruits."""
    form = EventCodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            throttle.require_calm("code", _address(request), throttle.LOOKUPS_PER_WINDOW)
        except Refusal as refusal:
            show_refusal(form, refusal, "code")
            return render(request, "recruitment/entry.html", {"form": form}, status=refusal.status)
        found = _event(form.cleaned_data["code"])
        if found is not None:
            return redirect(f"{reverse('recruitment:register', args=[found.campaign_id])}?event={found.code}")
        form.add_error("code", _("没有这个活动码。请对照海报再输一次，或直接找机构。"))
    unknown = request.method != "POST" and bool(request.GET.get("code"))
    if unknown:
        form.initial["code"] = request.GET["code"][:12]
    return render(
        request,
        "recruitment/entry.html",
        {"form": form, "unknown": unknown},
        status=400 if form.errors else 200,
    )


@sensitive_post_parameters("name", "id_number", "phone")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest, pk: int) -> HttpResponse:
    """The registration form of one campaign (M1); sent twice it is one registration."""
    campaign = get_object_or_404(Campaign.objects.select_related("institution__region", "course"), pk=pk)
    found = _event(request.POST.get("event") or request.GET.get("event") or "")
    at_event = found if found is not None and found.campaign_id == campaign.pk else None
    text = privacy.current_text(timezone.localdate())
    person = _person(request)
    form = RegistrationForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        person=person,
        initial={"privacy_version": text.version},
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            throttle.require_calm("register", _address(request), throttle.REGISTRATIONS_PER_WINDOW)
            registration = actions.register(
                campaign=campaign,
                application=form.application,
                document=form.document_as(form.cleaned_data["category"]),
                event=at_event,
                key=form.cleaned_data["key"],
                actor=request.user if isinstance(request.user, User) and person else None,
                at=timezone.now(),
            )
        except Refusal as refusal:
            show_refusal(form, refusal, FIELD_OF_REFUSAL.get(refusal.code))
            status = refusal.status
        else:
            request.session[SESSION_KEY] = registration.pk
            if registration.state == RegistrationState.SUBMITTED:
                return redirect("recruitment:questionnaire")
            return redirect("recruitment:done")
    elif request.method == "POST":
        status = 400
    return render(
        request,
        "recruitment/register.html",
        {
            "campaign": campaign,
            "open": campaign.state == CampaignState.OPEN,
            "event": at_event,
            "form": form,
            "person": person,
            "text": text,
            "sections": text.filled(campaign.institution),
        },
        status=status,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def questionnaire(request: HttpRequest) -> HttpResponse:
    """The screening questionnaire, for the browser that registered or the signed-in applicant (F4)."""
    registration = _registration(request)
    if registration.state != RegistrationState.SUBMITTED:
        return redirect("recruitment:done")
    questions = questionnaires.for_course(registration.course.course_type)
    form = QuestionnaireForm(request.POST if request.method == "POST" else None, questionnaire=questions)
    if request.method == "POST" and form.is_valid():
        actions.answer_questionnaire(
            registration=registration,
            answers=form.cleaned_data,
            actor=request.user if isinstance(request.user, User) else None,
            at=timezone.now(),
        )
        return redirect("recruitment:done")
    return render(
        request,
        "recruitment/questionnaire.html",
        {"form": form, "questionnaire": questions, "registration": registration},
        status=400 if form.errors else 200,
    )


@never_cache
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    """What happened and what comes next, without any personal data on the screen."""
    registration = _registration(request)
    return render(
        request,
        "recruitment/done.html",
        {"registration": registration, "standing": standing_of(registration)},
    )


@sensitive_post_parameters("phone")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def lookup(request: HttpRequest) -> HttpResponse:
    """Where a registration stands, for who knows its number and phone; a wrong pair tells nothing."""
    form = LookupForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            throttle.require_calm("lookup", _address(request), throttle.LOOKUPS_PER_WINDOW)
            phone = parse_phone(form.cleaned_data["phone"], rule="M1")
        except Refusal as refusal:
            show_refusal(form, refusal, FIELD_OF_REFUSAL.get(refusal.code))
            status = refusal.status
        else:
            found = Registration.objects.filter(
                number=form.cleaned_data["number"], phone_index=phone_index(phone)
            ).first()
            if found is not None:
                request.session[SESSION_KEY] = found.pk
                return redirect("recruitment:done")
            form.add_error(None, _("没有找到。请核对报名号和手机号，两样要和报名时一样。"))
            status = 400
    elif request.method == "POST":
        status = 400
    return render(request, "recruitment/lookup.html", {"form": form}, status=status)


def _event(code: str) -> OfflineEvent | None:
    code = plain_code(code)
    if not code:
        return None
    return OfflineEvent.objects.select_related("campaign").filter(code=code).first()


def _person(request: HttpRequest) -> Person | None:
    """The signed-in human, when the account is one's."""
    return request.user.person if isinstance(request.user, User) else None


def _registration(request: HttpRequest) -> Registration:
    """The registration of this browser's session, or one of the signed-in person's own; else Http404."""
    wanted = whole_number(request.GET.get("registration"))
    if wanted is not None:
        own = access_own_registration(request.user, wanted)
        request.session[SESSION_KEY] = own.pk
        return own
    registration = queries.registrations_with_all().filter(pk=request.session.get(SESSION_KEY) or 0).first()
    if registration is None:
        raise Http404
    return registration


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
