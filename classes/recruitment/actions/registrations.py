"""The registration form: received, withdrawn, noted (M1, I4)."""

import datetime
import hashlib
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

import audit
from accounts import vault
from accounts.actions import IssuedCode, issue_activation
from accounts.id_numbers import IdNumber
from accounts.models import User
from accounts.names import parse_name
from accounts.permissions import roles_of
from accounts.phones import parse_phone
from accounts.states import Role
from classes.actions.roster import commitment_of
from classes.permissions import require_trainee_account
from classes.recruitment import privacy
from classes.recruitment.actions.category_evidence import Document, destroy_pictures, keep, prepare
from classes.recruitment.actions.moves import move
from classes.recruitment.models import Campaign, OfflineEvent, Registration, StaffNote, new_code
from classes.recruitment.permissions import manages, require_manages
from classes.recruitment.states import LIVE_STATES, CampaignState, Education, RegistrationState, Source
from policy.classes import parse_category
from policy.messages import gettext_noop
from policy.refusals import Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """What an applicant wrote on the form. `privacy_version` is the text that stood above the box."""

    name: str
    id_number: IdNumber
    phone: str
    category: str
    education: str
    occupation: str
    wish: str = ""
    privacy_version: str


def register(
    *,
    campaign: Campaign,
    application: Application,
    document: Document | None,
    event: OfflineEvent | None,
    key: uuid.UUID,
    actor: User | None,
    at: datetime.datetime,
) -> Registration:
    """Receive a registration form (M1) with its source (I4); the same `key` again returns what is there.

    `actor` is None for an applicant without an account. A manager of the institution enters it for somebody
    (source 机构代填). A public applicant is never told whether the ID number is known: doubles are the
    institution's to see. Who is signed in, and the staff, hear `already_registered`.

    Raises Refusal `campaign_closed`, `name_form`, `phone_form`, `occupation_missing`, `category_unknown`,
    `education_unknown`, `privacy_outdated`, `already_registered`, and those of `prepare`.
    """
    known = Registration.objects.filter(key=key).first()
    if known is not None:
        return known
    text = privacy.current_text(timezone.localdate(at))
    _judge_application(application, text)
    prepared = prepare(document) if document is not None else None
    by_staff = actor is not None and manages(actor, campaign.institution_id)
    source = Source.EVENT if event else Source.STAFF if by_staff else Source.CAMPAIGN
    try:
        with transaction.atomic():
            campaign = Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign.pk)
            _judge_campaign(campaign, event)
            registration = Registration(
                key=key,
                institution=campaign.institution,
                campaign=campaign,
                course=campaign.course,
                source=source,
                event=event,
                entered_by=actor,
                name=parse_name(application.name),
                category=parse_category(application.category),
                education=application.education,
                occupation=application.occupation.strip(),
                wish=application.wish.strip(),
                privacy_version=text.version,
                privacy_sha256=text.sha256(campaign.institution),
                submitted_at=at,
            )
            registration.seal(id_number=application.id_number, phone=application.phone)
            if actor is not None:
                _judge_double(registration)
            salt = audit.new_salt()
            registration.commitment_salt_sealed = vault.seal(salt, context=Registration.SALT_CONTEXT)
            _save_under_free_number(registration)
            audit.record(
                "registration.received",
                actor_id=actor.pk if actor else None,
                subject=registration.subject,
                facts={
                    "registration": registration.pk,
                    "campaign": campaign.pk,
                    "course": campaign.course_id,
                    "source": source,
                    "event": event.code if event else None,
                    "privacy": text.version,
                    "privacy_text": registration.privacy_sha256,
                    "applicant": commitment_of(
                        application.id_number.value, registration.name, registration.category, salt=salt
                    ),
                },
                at=at,
            )
            if prepared is not None:
                keep(
                    prepared,
                    institution=campaign.institution,
                    index=bytes(registration.id_number_index),
                    registration=registration,
                    actor=actor,
                    at=at,
                )
    except IntegrityError:
        # The same form came in twice at the same moment; the first one stands.
        known = Registration.objects.filter(key=key).first()
        if known is None:
            raise
        return known
    return registration


def withdraw_registration(*, registration: Registration, actor: User, at: datetime.datetime) -> Registration:
    """The applicant takes the registration back, and the photos that came with it are destroyed.

    Raises Refusal `move_refused` once they are in a class, `not_yourself` (403).
    """
    if actor.person is None or bytes(actor.person.id_number_index) != bytes(registration.id_number_index):
        raise Refusal(
            "not_yourself",
            gettext_noop("报名要由本人撤回。"),
            found=roles_of(actor),
            required=Role.TRAINEE,
            next_step=gettext_noop("请本人登录后撤回，或联系机构。"),
            status=403,
        )
    with transaction.atomic():
        registration = lock_registration(registration.pk)
        if registration.state == RegistrationState.WITHDRAWN:
            return registration
        move(registration, "withdraw")
        registration.waiting_since = None
        registration.decided_at = at
        registration.save(update_fields=["state", "waiting_since", "decided_at"])
        destroy_pictures(registration, actor=actor, at=at)
        record_move(registration, actor=actor, at=at)
    return registration


def add_note(*, registration: Registration, text: str, actor: User, at: datetime.datetime) -> StaffNote:
    """Write a remark for colleagues (F5); raises Refusal `note_missing` (400), Http404 for strangers."""
    require_manages(actor, registration.institution_id)
    text = text.strip()
    if not text or len(text) > 500:
        raise Refusal(
            "note_missing",
            gettext_noop("备注要写 1 到 500 个字。"),
            found=len(text),
            required="1–500",
            next_step=gettext_noop("请写上备注再保存。"),
            status=400,
        )
    with transaction.atomic():
        note = StaffNote.objects.create(registration=registration, text=text, written_by=actor, at=at)
        audit.record(
            "registration.noted",
            actor_id=actor.pk,
            subject=registration.subject,
            facts={"registration": registration.pk, "text": hashlib.sha256(text.encode()).hexdigest()},
            at=at,
        )
    return note


def issue_code(*, registration: Registration, actor: User, at: datetime.datetime) -> IssuedCode:
    """The code with which an assigned trainee sets a first password; the manager hands it over in person.

    Raises Refusal `account_active` (a password was set already), `not_assigned`, Http404 for strangers.
    """
    require_manages(actor, registration.institution_id)
    user = User.objects.filter(person=registration.person_id).first() if registration.person_id else None
    if registration.state != RegistrationState.ASSIGNED or user is None:
        raise Refusal(
            "not_assigned",
            gettext_noop("分到班级以后才有账号。"),
            found=RegistrationState(registration.state),
            required=RegistrationState.ASSIGNED,
            rule="P7",
            next_step=gettext_noop("请先分班。"),
        )
    assert registration.training_class is not None  # an assigned one names its enrolment (constraint)
    require_trainee_account(user, registration.training_class)
    with transaction.atomic():
        issued = issue_activation(user=user, actor=actor, at=at)
        audit.record(
            "registration.activation_issued",
            actor_id=actor.pk,
            subject=registration.subject,
            facts={"registration": registration.pk, "user": user.pk},
            at=at,
        )
    return issued


def lock_registration(pk: int) -> Registration:
    """Lock a registration until the transaction ends and return it as it now is."""
    return (
        Registration.objects.select_for_update(of=("self",))
        .select_related("institution", "course", "fitting_course", "enrolment__training_class")
        .get(pk=pk)
    )


def record_move(
    registration: Registration, *, actor: User | None, at: datetime.datetime, reason: str = ""
) -> None:
    """Leave evidence of the state that a registration has come to."""
    training_class = registration.training_class
    audit.record(
        "registration.moved",
        actor_id=actor.pk if actor else None,
        subject=registration.subject,
        facts={
            "registration": registration.pk,
            "state": registration.state,
            "class_id": training_class.pk if training_class else None,
            "enrolment": registration.enrolment_id,
            "reason": hashlib.sha256(reason.encode()).hexdigest() if reason else None,
        },
        at=at,
    )


def _judge_application(application: Application, text: privacy.PrivacyText) -> None:
    parse_name(application.name)
    if parse_phone(application.phone, rule="M1") != application.phone:
        raise ValueError("the phone has to be parsed before")
    if not 0 < len(application.occupation.strip()) <= 60 or len(application.wish) > 500:
        raise Refusal(
            "occupation_missing",
            gettext_noop("现在做什么要写 1 到 60 个字，培训愿望不超过 500 个字。"),
            found=len(application.occupation.strip()),
            required="1–60",
            rule="M1",
            next_step=gettext_noop("请写上现在做什么，例如务农、打工、待业。"),
            status=400,
        )
    if application.education not in Education.values:
        raise Refusal(
            "education_unknown",
            gettext_noop("文化程度要从列表里选。"),
            found=application.education[:20],
            required=list(Education.values),
            rule="M1",
            next_step=gettext_noop("请选一项文化程度。"),
            status=400,
        )
    if application.privacy_version != text.version:
        raise Refusal(
            "privacy_outdated",
            gettext_noop("告知书有了新的版本，您看到的不是最新的。"),
            found=application.privacy_version[:40],
            required=text.version,
            next_step=gettext_noop("请看过新的告知书，再提交一次。"),
        )


def _judge_campaign(campaign: Campaign, event: OfflineEvent | None) -> None:
    if campaign.state != CampaignState.OPEN:
        raise Refusal(
            "campaign_closed",
            gettext_noop("这个招生项目已经停止报名。"),
            found=CampaignState(campaign.state),
            required=CampaignState.OPEN,
            rule="F3",
            next_step=gettext_noop("请看看这家机构的其他招生项目，或联系机构。"),
        )
    if event is not None and event.campaign_id != campaign.pk:
        raise ValueError("the event belongs to another campaign")


def _judge_double(registration: Registration) -> None:
    """Once per person, institution and course type: told only to the person and to the institution."""
    earlier = Registration.objects.filter(
        institution=registration.institution,
        id_number_index=registration.id_number_index,
        course__course_type=registration.course.course_type,
        state__in=LIVE_STATES,
    ).first()
    if earlier is not None:
        raise Refusal(
            "already_registered",
            gettext_noop("已经在这家机构报过同类培训，报名号 %(number)s。"),
            found=earlier.spoken_number,
            required=False,
            rule="S6",
            params={"number": earlier.spoken_number},
            next_step=gettext_noop("不用再报，可以查看报名进度。"),
        )


def _save_under_free_number(registration: Registration) -> None:
    while True:
        registration.number = new_code(Registration.NUMBER_LENGTH)
        if not Registration.objects.filter(number=registration.number).exists():
            break
    registration.save()
