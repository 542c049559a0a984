"""What every view of the API does with what it is sent: read it before acting, whether it needs it or not."""

import datetime
from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers, views
from rest_framework.fields import empty
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from policy.dates import parse_day
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.words import bare


@extend_schema_field(OpenApiTypes.BINARY)
class UploadField(serializers.FileField):
    """A file sent as a part of multipart/form-data: bytes, not the address that a stored one would have."""


class TextField(serializers.CharField):
    """Text as somebody wrote it. A number in its place is refused, and what does not show is empty."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation("" if isinstance(data, str) and not bare(data) else data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class DayField(serializers.DateField):
    """A date that is sent: YYYY-MM-DD, and no other form that ISO 8601 or a keyboard has."""

    default_error_messages: ClassVar = {"invalid": gettext_lazy("日期要写成 2026-09-24 这样。")}

    def to_internal_value(self, value: Any) -> datetime.date:
        try:
            return parse_day(value)
        except (TypeError, ValueError):
            self.fail("invalid")


class ReadsBody(views.APIView):
    """A view that never acts on a request whose body it cannot read.

    An action that needs no fields still refuses a broken body: whoever sent it meant something that would
    otherwise be done without. Raises Refusal `malformed` (400).
    """

    # False where a view takes a list or plain text and judges it itself.
    body_is_object: ClassVar[bool] = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in SAFE_METHODS or not hasattr(self, str(request.method).lower()):
            return
        try:
            data = request.data
        except (exceptions.ParseError, RecursionError) as error:
            raise _malformed(found=gettext_noop("读不出来的内容")) from error
        if self.body_is_object and not isinstance(data, Mapping):
            raise _malformed(found=gettext_noop("另一种内容，如列表或单个值"))


def _malformed(*, found: str) -> Refusal:
    return Refusal(
        "malformed",
        gettext_noop("发来的内容读不出来，什么也没有改动。"),
        found=found,
        required=gettext_noop("一个完整的 JSON 对象，如 {}"),
        next_step=gettext_noop("请检查内容的格式，改好再发一次。"),
        status=400,
    )


class APIView(ReadsBody):
    """The platform's view for one address."""
