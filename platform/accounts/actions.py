"""Writes about people, bodies and accounts."""

import datetime
import hmac
import re
import secrets
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop
from pypinyin import Style, lazy_pinyin
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as StdnumError

import audit
from accounts import vault
from accounts.id_numbers import IdNumber
from accounts.models import (
    Activation,
    Bureau,
    Institution,
    Membership,
    Person,
    Region,
    User,
    id_number_index,
)
from accounts.states import Role
from policy.refusals import Refusal

# Long enough to reach every trainee of a class before its first lesson.
ACTIVATION_VALID_FOR = datetime.timedelta(days=14)
# 50 bits, without the letters and figures that look alike on paper.
_CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_CODE_LENGTH = 10
_USERNAME = re.compile(r"[a-z][a-z0-9.-]{2,39}")
_NOT_OF_A_CODE = re.compile(rf"[^{_CODE_LETTERS}]")


def check_credit_code(text: str) -> str:
    """Return the unified social credit code (GB 32100) in canonical form.

    Raises Refusal `credit_code_invalid`.
    """
    try:
        return str(uscc.validate(text.strip().upper()))
    except StdnumError:
        raise Refusal(
            "credit_code_invalid",
            gettext_noop("统一社会信用代码不对：应为 18 位，校验位要对得上。"),
            required=18,
            found=len(text.strip()),
            rule="I1",
            citation="GB 32100",
            next_step=gettext_noop("请对照营业执照重新输入。"),
            status=400,
        ) from None


def register_institution(
    *,
    actor: User | None,
    name: str,
    credit_code: str,
    region: Region,
    designated_from: datetime.date | None,
    designated_until: datetime.date | None = None,
    address: str = "",
    contact: str = "",
    contact_phone: str = "",
    at: datetime.datetime,
) -> Institution:
    """Enter a designated institution (I1); raises Refusal `credit_code_invalid` or `institution_exists`."""
    code = check_credit_code(credit_code)
    try:
        with transaction.atomic():
            institution = Institution.objects.create(
                name=name,
                credit_code=code,
                region=region,
                designated_from=designated_from,
                designated_until=designated_until,
                address=address,
                contact=contact,
                contact_phone=contact_phone,
            )
            audit.record(
                "institution.registered",
                actor_id=actor.pk if actor else None,
                subject=f"institution/{institution.pk}",
                facts={
                    "credit_code": code,
                    "region": region.code,
                    "designated_from": designated_from.isoformat() if designated_from else None,
                    "designated_until": designated_until.isoformat() if designated_until else None,
                },
                at=at,
            )
    except IntegrityError:
        raise Refusal(
            "institution_exists",
            gettext_noop("这家机构已经登记过。"),
            rule="I1",
            next_step=gettext_noop("请核对名称和统一社会信用代码。"),
        ) from None
    return institution


def find_or_create_person(*, name: str, id_number: IdNumber, phone: str = "") -> Person:
    """Return the one person with this ID number, entering them when new (P7).

    Raises Refusal `name_differs` when the number is known under another name; the stored name is not
    revealed.
    Call inside a transaction. A known person's phone is not overwritten by an institution's table.
    """
    index = id_number_index(id_number)
    person = Person.objects.filter(id_number_index=index).first()
    if person is None:
        person = Person(name=name, name_pinyin=pinyin_key(name))
        person.seal_id_number(id_number)
        person.seal_phone(phone)
        try:
            with transaction.atomic():
                person.save()
        except IntegrityError:  # entered by somebody else in the same moment
            person = Person.objects.get(id_number_index=index)
    if person.name != name:
        raise Refusal(
            "name_differs",
            gettext_noop("这个身份证号已用另一个姓名登记。"),
            rule="P7",
            next_step=gettext_noop("请对照身份证核对姓名和号码；两样都没错，请联系当地人社部门。"),
        )
    return person


def pinyin_key(name: str) -> str:
    """The key by which Chinese names sort: PostgreSQL here has no ICU collation for pinyin."""
    return " ".join(lazy_pinyin(name, style=Style.TONE3))[:160]


def ensure_trainee_account(*, person: Person, at: datetime.datetime) -> User:
    """Return the person's account with the trainee role, made when missing.

    A new account has no usable password: the trainee sets one with the code that the institution hands over
    (`issue_activation`). Its user name is not derived from personal data.
    """
    with transaction.atomic():
        user = User.objects.filter(person=person).first()
        if user is None:
            user = User.objects.create_user(username=f"t{person.pk:08d}", password=None, person=person)
            audit.record(
                "account.created",
                actor_id=None,
                subject=f"person/{person.pk}",
                facts={"user": user.pk},
                at=at,
            )
        grant_role(user=user, role=Role.TRAINEE)
    return user


def grant_role(
    *, user: User, role: str, institution: Institution | None = None, bureau: Bureau | None = None
) -> Membership:
    """Give an account a role at a body; idempotent."""
    membership, _created = Membership.objects.get_or_create(
        user=user, role=role, institution=institution, bureau=bureau
    )
    user.__dict__.pop("active_memberships", None)
    return membership


def found_operator(*, username: str, at: datetime.datetime) -> User:
    """Return the account that runs the platform, made without a password when missing.

    Only whoever runs commands on the server can call this. Raises Refusal `username_taken` where the name
    belongs to somebody with another role, `username_form` where it could not be typed in.
    """
    if not _USERNAME.fullmatch(username):
        raise Refusal(
            "username_form",
            gettext_noop("用户名要用 3 到 40 个小写字母、数字、点、短横，以字母开头。"),
            next_step=gettext_noop("请换一个用户名。"),
            status=400,
        )
    with transaction.atomic():
        user, made = User.objects.get_or_create(username=username, defaults={"password": make_password(None)})
        if made:
            audit.record(
                "account.created",
                actor_id=None,
                subject=account_subject(user),
                facts={"user": user.pk},
                at=at,
            )
            grant_role(user=user, role=Role.OPERATOR)
        elif not user.has_role(Role.OPERATOR):
            raise Refusal(
                "username_taken",
                gettext_noop("这个用户名已经是别人的。"),
                next_step=gettext_noop("请换一个用户名。"),
            )
    return user


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """What is handed to a person once: nowhere is the code kept in the clear."""

    user: User
    code: str
    valid_until: datetime.datetime


def issue_activation(*, user: User, actor: User | None, at: datetime.datetime) -> IssuedCode:
    """Return a new code with which an account sets its first password; an older one is void from now on.

    Who may have it is for the caller to judge. Raises Refusal `account_active` where a password is set.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",)).select_related("person").get(pk=user.pk)
        if user.has_usable_password() or not user.is_active:
            raise Refusal(
                "account_active",
                gettext_noop("这个账号已经设好密码，可以直接登录。"),
                rule="P7",
                next_step=gettext_noop("请本人用用户名和密码登录。"),
            )
        code = "".join(secrets.choice(_CODE_LETTERS) for _letter in range(_CODE_LENGTH))
        valid_until = at + ACTIVATION_VALID_FOR
        Activation.objects.update_or_create(
            user=user,
            defaults={"code_hash": _code_hash(user, code), "issued_at": at, "valid_until": valid_until},
        )
        audit.record(
            "account.activation_issued",
            actor_id=actor.pk if actor else None,
            subject=account_subject(user),
            facts={"user": user.pk, "valid_until": valid_until},
            at=at,
        )
    return IssuedCode(user, f"{code[:5]}-{code[5:]}", valid_until)


def activate(*, username: str, code: str, password: str, at: datetime.datetime) -> User:
    """Set the first password of an account; raises Refusal `activation_invalid`."""
    typed = _NOT_OF_A_CODE.sub("", code.upper())
    with transaction.atomic():
        user = (
            User.objects.select_for_update(of=("self",))
            .filter(username=username.strip().lower(), is_active=True)
            .first()
        )
        held = Activation.objects.filter(user=user, valid_until__gt=at).first() if user else None
        if (
            user is None
            or held is None
            or user.has_usable_password()
            or not hmac.compare_digest(bytes(held.code_hash), _code_hash(user, typed))
        ):
            raise Refusal(
                "activation_invalid",
                gettext_noop("用户名或激活码不对，或者激活码已经用过、过期、换了新的。"),
                next_step=gettext_noop("请对照单子再输一次；还不行，请向给您激活码的机构要一个新的。"),
                status=400,
            )
        user.set_password(password)
        user.save(update_fields=["password"])
        held.delete()
        audit.record(
            "account.activated",
            actor_id=user.pk,
            subject=account_subject(user),
            facts={"user": user.pk},
            at=at,
        )
    return user


def account_subject(user: User) -> str:
    """The evidence chain of an account: that of its person, where it has one."""
    return f"person/{user.person_id}" if user.person_id else f"account/{user.pk}"


def _code_hash(user: User, code: str) -> bytes:
    return vault.blind_index(f"{user.pk}:{code}", context="account.activation")
