"""How often one address may object to one notice: enough for anybody who means it, too little for a flood."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_noop

from policy.refusals import Refusal

OBJECTIONS_PER_WINDOW = 5
WINDOW_SECONDS = 3600


@contextmanager
def calm(address: str, notice_id: int) -> Iterator[None]:
    """Count the objection that is lodged inside, unless it is refused; raise Refusal `objections_too_many`
    (429) beyond what is allowed.

    Counted before, so that no two at once both take the last place. The address itself is kept nowhere: the
    counter's name is a keyed digest, forgotten with the window.
    """
    digest = hmac.new(
        settings.SECRET_KEY.encode(), f"objection {notice_id} {address}".encode(), hashlib.sha256
    ).hexdigest()
    key = f"objections:{digest}"
    cache.add(key, 0, timeout=WINDOW_SECONDS)
    with suppress(ValueError):  # the window ended between the two calls
        if cache.incr(key) > OBJECTIONS_PER_WINDOW:
            cache.decr(key)
            raise Refusal(
                "objections_too_many",
                gettext_noop("从您的网络来的异议太多了，这一件没有收下。"),
                found=OBJECTIONS_PER_WINDOW + 1,
                required=OBJECTIONS_PER_WINDOW,
                rule="Q6",
                next_step=gettext_noop("请过一小时再提，或直接向当地人社部门反映。"),
                status=429,
            )
    try:
        yield
    except Refusal:
        with suppress(ValueError):
            cache.decr(key)
        raise
