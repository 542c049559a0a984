"""What all API endpoints share: pages of fifty and one shape of error."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler
from rest_framework.views import set_rollback

from accounts.refusals import rendered
from policy.refusals import Refusal


class Pagination(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


def _body(code: str, message: str, details: Any = None) -> dict[str, Any]:
    return {"code": code, "message": message, "details": details or {}, "citation": ""}


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Turn every refusal and REST error into `{"code", "message", "details", "citation"}` (DESIGN §6)."""
    if isinstance(exception, Refusal):
        set_rollback()
        return Response(rendered(exception), status=exception.status)
    response = rest_exception_handler(exception, context)
    if response is None:
        return None
    if isinstance(exception, Http404 | exceptions.NotFound):
        response.data = _body("not_found", _("没有找到"))
    elif isinstance(exception, exceptions.ValidationError):
        response.data = _body("invalid", _("有的内容不对，请改好再提交"), {"fields": response.data})
    elif isinstance(exception, PermissionDenied | exceptions.PermissionDenied):
        response.data = _body("permission_denied", _("当前账号不能做这一步"))
    elif isinstance(exception, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        response.data = _body("not_authenticated", _("请先登录"))
    elif isinstance(exception, exceptions.APIException):
        response.data = _body(str(exception.default_code), str(exception.detail))
    return response
