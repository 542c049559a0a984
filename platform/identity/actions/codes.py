"""One-time codes: the equal way without a face. The assistant sees the person and reads them six digits."""

import hmac
import secrets
import unicodedata
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

import audit
from accounts import vault
from accounts.models import Person, User
from identity.actions.locks import lock_person
from identity.models import OneTimeCode
from identity.permissions import require_in_charge, require_own
from policy.messages import gettext_noop
from policy.refusals import Refusal

DIGITS = 6
LIFETIME = timedelta(minutes=10)
# After the n-th wrong try the next one waits 2ⁿ seconds, at most this many: about 25 tries in a code's
# life, so a guess succeeds once in 40,000 codes, and nobody is ever locked out.
LONGEST_WAIT = timedelta(seconds=30)


def issue_code(*, person: Person, subject: str, actor: User, at: datetime) -> str:
    """Make a code for a person and a subject, valid for ten minutes; return its digits, kept nowhere.

    A code issued before for the same is void from now. Refusal: not_in_charge (403).
    """
    require_in_charge(actor, subject, person)
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    with transaction.atomic():
        lock_person(person.pk)
        OneTimeCode.objects.filter(person=person, subject=subject, closed_at__isnull=True).update(
            closed_at=at
        )
        code = OneTimeCode.objects.create(
            person=person,
            subject=subject,
            code_hash=_hash(digits, person_id=person.pk, subject=subject, issued_at=at),
            issued_by=actor,
            issued_at=at,
            expires_at=at + LIFETIME,
        )
        audit.record(
            "code.issued",
            actor_id=actor.pk,
            subject=subject,
            facts={"code": code.pk, "person": person.pk, "expires_at": code.expires_at},
            at=at,
        )
    return digits


def redeem_code(*, person: Person, subject: str, code: str, actor: User, at: datetime) -> OneTimeCode:
    """Prove by the digits that the assistant gave; the same digits again, while valid, return the same row.

    Refusals: not_yourself (403), code_missing, code_expired, code_wait (429), code_wrong.
    """
    require_own(actor, person)
    digits = "".join(unicodedata.normalize("NFKC", code).split())
    with transaction.atomic():
        lock_person(person.pk)
        issued = OneTimeCode.objects.filter(person=person, subject=subject, closed_at__isnull=True).first()
        if issued is None:
            raise Refusal(
                "code_missing",
                gettext_noop("助教还没有给您发验证码。"),
                found=False,
                required=True,
                rule="P7",
                next_step=gettext_noop("请在课堂里告诉助教，要一个验证码。"),
            )
        if not issued.is_valid_at(at):
            raise Refusal(
                "code_expired",
                gettext_noop("验证码过了 10 分钟，不能再用。"),
                found=timezone.localtime(issued.expires_at).isoformat(timespec="seconds"),
                required=timezone.localtime(at).isoformat(timespec="seconds"),
                rule="P7",
                next_step=gettext_noop("请助教再发一个。"),
            )
        _take_a_try(issued, at)
        expected = _hash(digits, person_id=person.pk, subject=subject, issued_at=issued.issued_at)
        if not hmac.compare_digest(bytes(issued.code_hash), expected):
            _count_wrong_try(issued, at)
            raise Refusal(
                "code_wrong",
                gettext_noop("验证码不对。"),
                found=False,
                required=gettext_noop("6 位数字"),
                rule="P7",
                next_step=gettext_noop("请对照助教给您的数字再输一次，次数不限。"),
            )
        if issued.redeemed_at is None:
            issued.redeemed_at = at
            issued.save(update_fields=["redeemed_at"])
            audit.record(
                "code.redeemed",
                actor_id=actor.pk,
                subject=subject,
                facts={"code": issued.pk, "person": person.pk},
                at=at,
            )
    return issued


def _hash(digits: str, *, person_id: int, subject: str, issued_at: datetime) -> bytes:
    moment = issued_at.astimezone(UTC).isoformat()
    return vault.blind_index(digits, context=f"identity.code:{person_id}:{subject}:{moment}")


# Wrong tries are counted in the cache, not in the row: a refusal rolls the caller's transaction back, and
# the count must stay. The person's lock keeps two tries from being judged at once.


def _tries_key(code: OneTimeCode) -> str:
    return f"identity:code:{code.pk}:tries"


def _take_a_try(code: OneTimeCode, at: datetime) -> None:
    """Raises code_wait while the pause after a wrong try is not over."""
    _wrong, not_before = cache.get(_tries_key(code), (0, code.issued_at))
    if at < not_before:
        seconds = -(-(not_before - at) // timedelta(seconds=1))
        raise Refusal(
            "code_wait",
            gettext_noop("刚才输错了，请等 %(seconds)s 秒再输。"),
            found=0,
            required=seconds,
            rule="P7",
            next_step=gettext_noop("等一等再输，验证码没有作废。"),
            params={"seconds": seconds},
            status=429,
        )


def _count_wrong_try(code: OneTimeCode, at: datetime) -> None:
    wrong = cache.get(_tries_key(code), (0, at))[0] + 1
    pause = min(timedelta(seconds=2**wrong), LONGEST_WAIT)
    cache.set(_tries_key(code), (wrong, at + pause), timeout=int(LIFETIME.total_seconds()))
