"""Receipts over HTTP, for officers: upload, report, apply, discard (docs/exchange-format.md)."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import RefusalSerializer
from accounts.api_views import APIView, ReadsBody, UploadField
from accounts.models import User
from classes import actions, permissions
from classes.queries import ReceiptSummary, receipt_summaries, receipts_of
from classes.receipts import reconciliation_file
from exchange.models import Receipt, ReceiptRow
from exchange.problems import said
from exchange.states import Outcome, ReceiptState
from exchange.xlsx.cells import XLSX
from policy.messages import gettext_noop
from policy.refusals import Refusal

_REFUSED = {400: RefusalSerializer, 403: RefusalSerializer, 404: RefusalSerializer, 409: RefusalSerializer}


class ReceiptFileSerializer(serializers.Serializer[Any]):
    file = UploadField(help_text=".xlsx, kind filing-receipt")


class ReceiptCountsSerializer(serializers.Serializer[Any]):
    accepted = serializers.IntegerField()
    refused = serializers.IntegerField()
    unknown = serializers.IntegerField()
    changed = serializers.IntegerField()
    duplicate = serializers.IntegerField()


class ReceiptSerializer(serializers.Serializer[Any]):
    """A receipt and how its rows were reconciled; `may_apply` when none stands in the way."""

    id = serializers.IntegerField(source="pk")
    state = serializers.ChoiceField(choices=ReceiptState.choices)
    filename = serializers.CharField()
    sha256 = serializers.CharField()
    uploaded_at = serializers.DateTimeField()
    applied_at = serializers.DateTimeField(allow_null=True)
    counts = serializers.SerializerMethodField()
    may_apply = serializers.SerializerMethodField()

    @extend_schema_field(ReceiptCountsSerializer)
    def get_counts(self, receipt: Receipt) -> dict[str, int]:
        return self._summaries[receipt.pk].counts

    def get_may_apply(self, receipt: Receipt) -> bool:
        return receipt.state == ReceiptState.PREVIEWED and self._summaries[receipt.pk].is_sound

    @cached_property
    def _summaries(self) -> dict[int, ReceiptSummary]:
        shown: Any = self.parent.instance if self.parent else [self.instance]
        return receipt_summaries(shown)


class ProblemSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    next = serializers.CharField(allow_blank=True)


class ChangedValueSerializer(serializers.Serializer[Any]):
    column = serializers.CharField()
    filed = serializers.CharField()
    sent = serializers.CharField()


class ReceiptRowSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(source="number", help_text="as in Excel")
    reference = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    values = serializers.JSONField()
    problems = serializers.SerializerMethodField()
    differences = ChangedValueSerializer(many=True)

    @extend_schema_field(ProblemSerializer(many=True))
    def get_problems(self, row: ReceiptRow) -> list[dict[str, str]]:
        return [said(problem, gettext) for problem in row.problems]


class ReceiptListView(ReadsBody, generics.ListAPIView[Receipt]):
    """The receipts of one's office, the newest first."""

    serializer_class = ReceiptSerializer
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> QuerySet[Receipt]:
        if getattr(self, "swagger_fake_view", False):
            return Receipt.objects.none()
        permissions.require_office(_user(self.request))
        return receipts_of(_user(self.request))

    @extend_schema(summary="Receipts of one's office")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        summary="Upload a receipt; nothing is decided yet",
        request={"multipart/form-data": ReceiptFileSerializer},
        responses={201: ReceiptSerializer, **_REFUSED, 413: RefusalSerializer},
    )
    def post(self, request: Request) -> Response:
        user = _user(request)
        permissions.require_office(user)
        upload = request.FILES.get("file")
        if upload is None:
            raise Refusal(
                "file_missing",
                gettext_noop("没有收到文件。"),
                found=list(request.FILES),
                required="file",
                rule="F8",
                next_step=gettext_noop("请用 file 字段上传 .xlsx 文件。"),
                status=400,
            )
        receipt = actions.upload_receipt(
            content=upload.read(), filename=upload.name or "", actor=user, at=timezone.now()
        )
        return Response(ReceiptSerializer(receipt).data, status=status.HTTP_201_CREATED)


class ReceiptView(APIView):
    @extend_schema(summary="A receipt", responses={200: ReceiptSerializer, 404: RefusalSerializer})
    def get(self, request: Request, pk: int) -> Response:
        return Response(ReceiptSerializer(permissions.access_receipt(request.user, pk)).data)


@extend_schema(
    summary="The rows of a receipt, reconciled",
    parameters=[OpenApiParameter("outcome", enum=Outcome.values)],
)
class ReceiptRowsView(ReadsBody, generics.ListAPIView[ReceiptRow]):
    serializer_class = ReceiptRowSerializer

    def get_queryset(self) -> QuerySet[ReceiptRow]:
        if getattr(self, "swagger_fake_view", False):
            return ReceiptRow.objects.none()
        rows = permissions.access_receipt(self.request.user, self.kwargs["pk"]).rows.all()
        outcome = self.request.query_params.get("outcome", "")
        return rows.filter(outcome=outcome) if outcome in Outcome.values else rows


class ReceiptReportView(APIView):
    @extend_schema(summary="The report as a file", responses={(200, XLSX): OpenApiTypes.BINARY, **_REFUSED})
    def get(self, request: Request, pk: int) -> HttpResponse:
        from classes.api import xlsx_response  # inline: that module lists these addresses

        receipt = permissions.access_receipt(request.user, pk)
        return xlsx_response(reconciliation_file(receipt), f"receipt-{receipt.pk}-report.xlsx")


class ReceiptApplicationView(APIView):
    @extend_schema(
        summary="Apply a receipt: all of its decisions or none",
        request=None,
        responses={200: ReceiptSerializer, **_REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        receipt = permissions.access_receipt(request.user, pk)
        applied = actions.apply_receipt(receipt=receipt, actor=_user(request), at=timezone.now())
        return Response(ReceiptSerializer(applied).data)


class ReceiptDiscardView(APIView):
    @extend_schema(
        summary="Put a receipt aside", request=None, responses={200: ReceiptSerializer, **_REFUSED}
    )
    def post(self, request: Request, pk: int) -> Response:
        receipt = permissions.access_receipt(request.user, pk)
        discarded = actions.discard_receipt(receipt=receipt, actor=_user(request), at=timezone.now())
        return Response(ReceiptSerializer(discarded).data)


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # IsAuthenticated stands before every view that asks
    return request.user


api_urlpatterns = [
    path("receipts/", ReceiptListView.as_view(), name="receipts"),
    path("receipts/<int:pk>/", ReceiptView.as_view(), name="receipt"),
    path("receipts/<int:pk>/rows/", ReceiptRowsView.as_view(), name="receipt-rows"),
    path("receipts/<int:pk>/report/", ReceiptReportView.as_view(), name="receipt-report"),
    path("receipts/<int:pk>/application/", ReceiptApplicationView.as_view(), name="receipt-application"),
    path("receipts/<int:pk>/discard/", ReceiptDiscardView.as_view(), name="receipt-discard"),
]
