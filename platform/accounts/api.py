"""Tokens and the caller's own account (DESIGN §6)."""

from typing import Any

from django.contrib.auth import authenticate
from django.urls import path
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.authtoken.models import Token
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_views import APIView, TextField
from accounts.models import User
from policy.refusals import Refusal


class RefusalSerializer(serializers.Serializer[Any]):
    """The one shape of every error."""

    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField()
    citation = serializers.CharField()


class CredentialsSerializer(serializers.Serializer[Any]):
    username = TextField(max_length=40)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(read_only=True)


class TokenView(APIView):
    """POST {username, password} → {token}; raises Refusal `credentials_wrong` (400)."""

    permission_classes = [AllowAny]
    authentication_classes = ()

    @extend_schema(request=CredentialsSerializer, responses={200: TokenSerializer, 400: RefusalSerializer})
    def post(self, request: Request) -> Response:
        form = CredentialsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = authenticate(request=request._request, **form.validated_data)
        if user is None:
            raise Refusal(
                "credentials_wrong",
                gettext_noop("用户名或密码不对。"),
                found=False,
                required=True,
                next_step=gettext_noop("请再输一次；多次输错后要等一刻钟。"),
                status=status.HTTP_400_BAD_REQUEST,
            )
        token, _created = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})


class MembershipSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    institution = serializers.IntegerField(source="institution_id", allow_null=True)
    bureau = serializers.IntegerField(source="bureau_id", allow_null=True)


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    username = serializers.CharField()
    name = serializers.CharField(source="__str__")
    person = serializers.IntegerField(source="person_id", allow_null=True)
    memberships = MembershipSerializer(source="active_memberships", many=True)


class MeView(APIView):
    """The caller's own account and roles."""

    @extend_schema(responses={200: MeSerializer})
    def get(self, request: Request) -> Response:
        assert isinstance(request.user, User)
        return Response(MeSerializer(request.user).data)


api_urlpatterns = [
    path("auth/token/", TokenView.as_view(), name="token"),
    path("me/", MeView.as_view(), name="me"),
]
