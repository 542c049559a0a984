"""What all API endpoints share: pages of fifty and one shape of error."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler
from rest_framework.views import set_rollback

from accounts.refusals import rendered
from policy.messages import gettext_noop
from policy.refusals import Refusal


class Pagination(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


# What the framework says of a field in a programmer's words, in ours. By the code of the message; where one
# code serves for many, also by how the framework's own sentence begins.
PLAIN_WORDS = {
    "does_not_exist": gettext_noop("没有这个编号，请换一个。"),
    "incorrect_type": gettext_noop("这里要填编号，一个整数。"),
    # The framework repeats what was sent; of a list or an object that is a programmer's notation.
    "invalid_choice": gettext_noop("没有这一项，请从列出的里面选一项。"),
    "max_digits": gettext_noop("这个数太大。"),
    "max_whole_digits": gettext_noop("这个数太大。"),
    "max_decimal_places": gettext_noop("小数位太多，最多两位。"),
    "not_a_list": gettext_noop("这里要填一个列表。"),
    "not_a_dict": gettext_noop("这里要填一个对象，如 {}。"),
}
NOT_A_DICTIONARY = "Invalid data. Expected a dictionary, but got {datatype}."


def error_body(
    code: str,
    message: str,
    *,
    next_step: str,
    found: object = None,
    required: object = None,
    fields: Any = None,
) -> dict[str, Any]:
    """The one shape of an error that is no refusal of the norm: no row applies, so `rule` is empty (see
    `policy.refusals`).

    The four strings are shown as they are: translated by whoever calls.
    """
    details: dict[str, Any] = {"found": found, "required": required, "rule": "", "next": next_step}
    if fields is not None:
        details["fields"] = fields
    return {"code": code, "message": message, "details": details, "citation": ""}


def not_found_body() -> dict[str, Any]:
    """Alike for what is not there, what is not this person's to see, and an address that leads nowhere."""
    return error_body(
        "not_found", _("没有找到"), found=False, required=True, next_step=_("请检查地址和编号，再试一次。")
    )


def method_not_allowed_body(method: str, allowed: list[str]) -> dict[str, Any]:
    """Say which methods an address answers."""
    return error_body(
        "method_not_allowed",
        _("这个地址不能这样用"),
        found=method,
        required=allowed,
        next_step=_("请换用这个地址支持的方法。"),
    )


def _in_plain_words(detail: Any) -> Any:
    """Field errors with the framework's jargon replaced; everything else as it was said."""
    if isinstance(detail, Mapping):
        return {name: _in_plain_words(value) for name, value in detail.items()}
    if isinstance(detail, list | tuple):
        return [_in_plain_words(value) for value in detail]
    code = str(getattr(detail, "code", ""))
    if code == "invalid" and str(detail).startswith(gettext(NOT_A_DICTIONARY).split("{")[0]):
        code = "not_a_dict"
    return gettext(PLAIN_WORDS[code]) if code in PLAIN_WORDS else str(detail)


def _names_of(fields: Any) -> list[str]:
    return list(fields) if isinstance(fields, Mapping) else []


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Turn every refusal and REST error into `{"code", "message", "details", "citation"}` (DESIGN §6)."""
    if isinstance(exception, Refusal):
        set_rollback()
        return Response(rendered(exception), status=exception.status)
    response = rest_exception_handler(exception, context)
    if response is not None:
        response.data = _body_of(exception, context)
    return response


def _body_of(exception: Exception, context: dict[str, Any]) -> dict[str, Any]:
    request, view = context["request"], context["view"]
    match exception:
        case Http404() | exceptions.NotFound():
            return not_found_body()
        case exceptions.ValidationError():
            fields = _in_plain_words(exception.detail)
            return error_body(
                "invalid",
                _("有的内容不对，请改好再提交"),
                found=_names_of(fields) or None,
                required=_("每一项都符合说明"),
                next_step=_("请按每一项后面的说明改好，再发一次。"),
                fields=fields,
            )
        case PermissionDenied() | exceptions.PermissionDenied():
            return error_body(
                "permission_denied",
                _("当前账号不能做这一步"),
                found=str(request.user),
                required=_("有权办理的账号"),
                next_step=_("请换有权办理的账号登录。"),
            )
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return error_body(
                "not_authenticated",
                _("请先登录"),
                found=False,
                required=True,
                next_step=_("请登录，或带上有效的令牌。"),
            )
        case exceptions.ParseError():
            return error_body(
                "malformed",
                _("发来的内容读不出来"),
                found=_("读不出来的内容"),
                required=_("一个完整的 JSON 对象，如 {}"),
                next_step=_("请检查内容的格式，改好再发一次。"),
            )
        case exceptions.UnsupportedMediaType():
            return error_body(
                "unsupported_media_type",
                _("这里不收这种格式的内容"),
                found=str(request.content_type),
                required=[parser.media_type for parser in view.parser_classes],
                next_step=_("请换一种格式，再发一次。"),
            )
        case exceptions.MethodNotAllowed():
            return method_not_allowed_body(str(request.method), view.allowed_methods)
        case exceptions.NotAcceptable():
            return error_body(
                "not_acceptable",
                _("给不出您要的格式"),
                found=request.headers.get("Accept", ""),
                required=[renderer.media_type for renderer in view.renderer_classes],
                next_step=_("请换一种格式，再要一次。"),
            )
        case exceptions.APIException():
            return error_body(
                str(exception.default_code),
                _("这一步没有办成"),
                found=str(exception.detail),
                next_step=_("请稍后再试。"),
            )
    return error_body("error", _("这一步没有办成"), next_step=_("请稍后再试。"))
