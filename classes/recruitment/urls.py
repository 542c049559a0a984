from django.urls import path

from classes.recruitment.views import campaigns, desk, evidence, own, public

app_name = "recruitment"
urlpatterns = [
    # everybody
    path("institutions/", public.institutions, name="institutions"),
    path("institutions/<int:pk>/", public.institution, name="institution"),
    path("r/<str:code>/", public.event, name="event"),
    path("register/", public.entry, name="entry"),
    path("register/campaigns/<int:pk>/", public.register, name="register"),
    path("register/questionnaire/", public.questionnaire, name="questionnaire"),
    path("register/done/", public.done, name="done"),
    path("register/standing/", public.lookup, name="lookup"),
    # the applicant, signed in
    path("registrations/", own.mine, name="mine"),
    path("registrations/<int:pk>/withdrawal/", own.withdraw, name="withdraw"),
    path("registrations/<int:pk>/document/", own.hand_in, name="own_document"),
    # the institution
    path("recruitment/", desk.inbox, name="inbox"),
    path("recruitment/bulk/", desk.bulk, name="bulk"),
    path("recruitment/waiting/", desk.waiting, name="waiting"),
    path("recruitment/registrations/<int:pk>/", desk.registration, name="registration"),
    path("recruitment/registrations/<int:pk>/decision/", desk.decide, name="decide"),
    path("recruitment/registrations/<int:pk>/note/", desk.note, name="note"),
    path("recruitment/registrations/<int:pk>/rejudgement/", desk.rejudge, name="rejudge"),
    path("recruitment/registrations/<int:pk>/screening/", desk.screening, name="screening"),
    path("recruitment/registrations/<int:pk>/activation/", desk.activation, name="activation"),
    path("recruitment/registrations/<int:pk>/document/", desk.hand_in, name="document"),
    path("recruitment/campaigns/", campaigns.campaigns, name="campaigns"),
    path("recruitment/campaigns/new/", campaigns.create, name="campaign_create"),
    path("recruitment/campaigns/<int:pk>/", campaigns.campaign, name="campaign"),
    path("recruitment/campaigns/<int:pk>/edit/", campaigns.edit, name="campaign_edit"),
    path("recruitment/campaigns/<int:pk>/state/", campaigns.move, name="campaign_move"),
    path("recruitment/campaigns/<int:pk>/events/new/", campaigns.create_event, name="event_create"),
    path("recruitment/campaigns/<int:pk>/registrations/new/", campaigns.enter, name="enter"),
    path("recruitment/events/<int:pk>/", campaigns.poster, name="event_poster"),
    path("recruitment/category-evidence/<int:pk>/", evidence.document, name="evidence"),
    path("recruitment/category-evidence/<int:pk>/check/", evidence.check, name="evidence_check"),
    path("recruitment/category-evidence/<int:pk>/picture/", evidence.picture, name="evidence_picture"),
    # a class: its institution and its office
    path("classes/<int:pk>/places/", desk.promote, name="promote"),
    path("classes/<int:pk>/category-evidence/", evidence.class_evidence, name="class_evidence"),
    path(
        "classes/<int:pk>/category-evidence/<int:enrolment>/",
        evidence.hand_in,
        name="class_evidence_document",
    ),
    path("classes/<int:pk>/recruitment-signals/", evidence.signals, name="signals"),
]
