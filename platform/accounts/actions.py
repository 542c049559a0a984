"""Writes about people, bodies and accounts."""

import datetime
import hmac
import re
import secrets
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop
from pypinyin import Style, lazy_pinyin
from rest_framework.authtoken.models import Token
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as StdnumError

import audit
from accounts import signals, vault
from accounts.id_numbers import IdNumber, require_born
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
from policy.dates import require_on_paper
from policy.refusals import Refusal

# Long enough to reach every trainee of a class before its first lesson.
ACTIVATION_VALID_FOR = datetime.timedelta(days=14)
# 50 bits, without the letters and figures that look alike on paper.
_CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_CODE_LENGTH = 10
# Names like t00000012 are given to people by their number (`person_username`).
_USERNAME = re.compile(r"(?!t[0-9]{8}$)[a-z][a-z0-9.-]{2,39}")
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


def check_designation(first: datetime.date | None, last: datetime.date | None) -> None:
    """Raise Refusal `designation_reversed` where a designation ends before it begins, or never began, and
    `date_out_of_range` where a day can only be a slip of the pen.
    """
    require_on_paper(first, name=gettext_noop("定点起"), field="designated_from", rule="I1")
    require_on_paper(last, name=gettext_noop("定点止"), field="designated_until", rule="I1")
    if last is None or (first is not None and first <= last):
        return
    raise Refusal(
        "designation_reversed",
        gettext_noop("定点的结束日期要在开始日期以后，有结束日期就要有开始日期。"),
        found=last,
        required=first,
        rule="I1",
        next_step=gettext_noop("请对照认定文件改日期。"),
        status=400,
    )


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
    """Enter a designated institution (I1).

    Raises Refusal `credit_code_invalid`, `designation_reversed`, `institution_exists`.
    """
    code = check_credit_code(credit_code)
    check_designation(designated_from, designated_until)
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
        raise institution_exists() from None
    return institution


def institution_exists() -> Refusal:
    """Another institution has this name or this code."""
    return Refusal(
        "institution_exists",
        gettext_noop("这家机构已经登记过。"),
        found=True,
        required=False,
        rule="I1",
        next_step=gettext_noop("请核对名称和统一社会信用代码。"),
    )


def find_or_create_person(
    *, name: str, id_number: IdNumber, phone: str = "", at: datetime.datetime
) -> Person:
    """Return the one person with this ID number, entering them when new (P7).

    Raises Refusal `name_differs` when the number is known under another name; the stored name is not
    revealed; `id_number_date` when it is the number of somebody who is not born yet.
    Call inside a transaction. A known person's phone is not overwritten by an institution's table.
    """
    require_born(id_number, on=timezone.localdate(at))
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
            found=False,
            required=True,
            rule="P7",
            next_step=gettext_noop("请对照身份证核对姓名和号码；两样都没错，请联系当地人社部门。"),
        )
    return person


def pinyin_key(name: str) -> str:
    """The key by which Chinese names sort: PostgreSQL here has no ICU collation for pinyin."""
    return " ".join(lazy_pinyin(name, style=Style.TONE3))[:160]


def ensure_trainee_account(*, person: Person, at: datetime.datetime) -> User:
    """Return the person's account with the trainee role, made when missing; what is made leaves evidence.

    A new account has no usable password: the trainee sets one with the code that the institution hands over
    (`issue_activation`). Its user name is not derived from personal data.
    """
    with transaction.atomic():
        user = User.objects.filter(person=person).first()
        if user is None:
            user = User.objects.create_user(username=person_username(person), password=None, person=person)
            audit.record(
                "account.created",
                actor_id=None,
                subject=f"person/{person.pk}",
                facts={"user": user.pk},
                at=at,
            )
        membership, made = _grant(user, role=Role.TRAINEE)
        if made:
            record_membership("role.granted", membership, actor=None, at=at)
    return user


def person_username(person: Person) -> str:
    """The user name of a person's account; says nothing of the person."""
    return f"t{person.pk:08d}"


def grant_role(
    *, user: User, role: str, institution: Institution | None = None, bureau: Bureau | None = None
) -> Membership:
    """Give an account a role at a body; idempotent."""
    return _grant(user, role=role, institution=institution, bureau=bureau)[0]


def _grant(
    user: User, *, role: str, institution: Institution | None = None, bureau: Bureau | None = None
) -> tuple[Membership, bool]:
    """The membership, and whether it is new."""
    found = Membership.objects.get_or_create(user=user, role=role, institution=institution, bureau=bureau)
    user.__dict__.pop("active_memberships", None)
    return found


def record_membership(
    kind: str, membership: Membership, *, actor: User | None, at: datetime.datetime
) -> None:
    """Leave evidence that a role was granted or revoked (`role.granted`, `role.revoked`)."""
    audit.record(
        kind,
        actor_id=actor.pk if actor else None,
        subject=account_subject(membership.user),
        facts={
            "user": membership.user_id,
            "role": membership.role,
            "institution": membership.institution_id,
            "bureau": membership.bureau_id,
        },
        at=at,
    )


def found_operator(*, username: str, at: datetime.datetime) -> User:
    """Return the account that runs the platform, made without a password when missing.

    Only whoever runs commands on the server can call this. Raises Refusal `username_taken` where the name
    belongs to somebody with another role, `username_form` where it could not be typed in.
    """
    check_username(username)
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
            membership = grant_role(user=user, role=Role.OPERATOR)
            record_membership("role.granted", membership, actor=None, at=at)
        elif not user.has_role(Role.OPERATOR):
            raise username_taken()
    return user


def check_username(username: str) -> None:
    """Raise Refusal `username_form` for a name that nobody could choose for an account."""
    if _USERNAME.fullmatch(username):
        return
    raise Refusal(
        "username_form",
        gettext_noop(
            "用户名要用 3 到 40 个小写字母、数字、点、短横，以字母开头；t 加 8 位数字留给学员和讲师。"
        ),
        found=len(username),
        required="3–40",
        next_step=gettext_noop("请换一个用户名。"),
        status=400,
    )


def username_taken() -> Refusal:
    """Somebody else signs in by this name."""
    return Refusal(
        "username_taken",
        gettext_noop("这个用户名已经是别人的。"),
        found=True,
        required=False,
        next_step=gettext_noop("请换一个用户名。"),
    )


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """What is handed to a person once: nowhere is the code kept in the clear."""

    user: User
    code: str
    valid_until: datetime.datetime


def issue_activation(*, user: User, actor: User | None, at: datetime.datetime) -> IssuedCode:
    """Return a new code with which an account sets its first password; an older one is void from now on.

    Who may have it is for the caller to judge. Raises Refusal `account_active` where a password is set,
    `account_suspended`.
    """
    with transaction.atomic():
        user = _locked(user)
        if user.has_usable_password():
            raise Refusal(
                "account_active",
                gettext_noop("这个账号已经设好密码，可以直接登录。"),
                found=True,
                required=False,
                rule="P7",
                next_step=gettext_noop("请本人用用户名和密码登录；忘了密码，请重设密码。"),
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
                found=False,
                required=True,
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


def reset_access(*, user: User, actor: User | None, at: datetime.datetime) -> IssuedCode:
    """End what an account is signed in with, and return the code for a new password.

    From now on neither the old password nor a session or token that was got with it is good. Who may ask for
    it is for the caller to judge. Repeating it only replaces the code. Raises Refusal `account_suspended`.
    """
    with transaction.atomic():
        user = _locked(user)
        if user.has_usable_password():
            user.set_unusable_password()  # sessions carry a hash of the password and end with it
            user.save(update_fields=["password"])
            Token.objects.filter(user=user).delete()
            signals.access_ended.send(User, user=user, actor=actor, at=at)
            _record_account("account.reset", user, actor=actor, at=at)
        return issue_activation(user=user, actor=actor, at=at)


def suspend_account(*, user: User, actor: User, at: datetime.datetime) -> None:
    """Let nobody in by this account until it is restored; its roles and what was done by it stay.

    Idempotent. Who may do it is for the caller to judge.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",)).select_related("person").get(pk=user.pk)
        if not user.is_active:
            return
        user.is_active = False
        user.save(update_fields=["is_active"])
        Token.objects.filter(user=user).delete()
        Activation.objects.filter(user=user).delete()
        signals.access_ended.send(User, user=user, actor=actor, at=at)
        _record_account("account.suspended", user, actor=actor, at=at)


def restore_account(*, user: User, actor: User, at: datetime.datetime) -> None:
    """Let an account in again, with the password it had; idempotent."""
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",)).select_related("person").get(pk=user.pk)
        if user.is_active:
            return
        user.is_active = True
        user.save(update_fields=["is_active"])
        _record_account("account.restored", user, actor=actor, at=at)


def account_subject(user: User) -> str:
    """The evidence chain of an account: that of its person, where it has one."""
    return f"person/{user.person_id}" if user.person_id else f"account/{user.pk}"


def _locked(user: User) -> User:
    """The account, locked; raises Refusal `account_suspended` where nobody may be let in by it."""
    user = User.objects.select_for_update(of=("self",)).select_related("person").get(pk=user.pk)
    if user.is_active:
        return user
    raise Refusal(
        "account_suspended",
        gettext_noop("这个账号已经停用，不能发激活码。"),
        found=False,
        required=True,
        rule="P7",
        next_step=gettext_noop("请平台运营先恢复账号。"),
    )


def _record_account(kind: str, user: User, *, actor: User | None, at: datetime.datetime) -> None:
    audit.record(
        kind,
        actor_id=actor.pk if actor else None,
        subject=account_subject(user),
        facts={"user": user.pk},
        at=at,
    )


def _code_hash(user: User, code: str) -> bytes:
    return vault.blind_index(f"{user.pk}:{code}", context="account.activation")
