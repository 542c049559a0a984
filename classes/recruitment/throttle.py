"""How often one address may try something in public: enough for a family, too little for a flood."""

import hashlib
import hmac

from django.conf import settings
from django.core.cache import cache

from policy.messages import gettext_noop
from policy.refusals import Refusal

WINDOW_SECONDS = 3600
# A recruitment event may put a whole hall on one address; guessing registration numbers needs far more.
REGISTRATIONS_PER_WINDOW = 60
LOOKUPS_PER_WINDOW = 30


def require_calm(what: str, address: str, most: int) -> None:
    """Count one try; raise Refusal `too_many_tries` (429) beyond `most` an hour from one address.

    The address itself is kept nowhere: the counter's name is a keyed digest, forgotten with the window.
    """
    digest = hmac.new(settings.SECRET_KEY.encode(), f"{what} {address}".encode(), hashlib.sha256).hexdigest()
    key = f"recruitment:{digest}"
    cache.add(key, 0, timeout=WINDOW_SECONDS)
    try:
        count = cache.incr(key)
    except ValueError:  # the window ended between the two calls
        return
    if count > most:
        raise Refusal(
            "too_many_tries",
            gettext_noop("从您的网络来的次数太多了，这一次没有办理。"),
            found=count,
            required=most,
            next_step=gettext_noop("请过一小时再试，或直接联系机构。"),
            status=429,
        )
