from django.urls import path

from classes.views import classes, filing, packages, receipts, roster, timetable, whatif

app_name = "classes"
urlpatterns = [
    path("classes/", classes.class_list, name="list"),
    path("classes/new/", classes.create, name="create"),
    path("classes/what-if/", whatif.report, name="what_if"),
    path("classes/filings/", filing.queue, name="filings"),
    path("classes/filings/<int:pk>/decision/", filing.decide, name="decide"),
    path("classes/filings/<int:pk>/withdrawal/", filing.withdraw, name="withdraw"),
    path("classes/filings/<int:pk>/change/", filing.change, name="change"),
    path("receipts/", receipts.receipts, name="receipts"),
    path("receipts/form/", receipts.form, name="receipt_form"),
    path("receipts/<int:pk>/", receipts.receipt, name="receipt"),
    path("receipts/<int:pk>/apply/", receipts.apply, name="receipt_apply"),
    path("receipts/<int:pk>/discard/", receipts.discard, name="receipt_discard"),
    path("receipts/<int:pk>/file/", receipts.file, name="receipt_file"),
    path("receipts/<int:pk>/report/", receipts.report, name="receipt_report"),
    path("classes/<int:pk>/", classes.detail, name="detail"),
    path("classes/<int:pk>/edit/", classes.edit, name="edit"),
    path("classes/<int:pk>/cancel/", classes.cancel, name="cancel"),
    path("classes/<int:pk>/roster/", roster.roster, name="roster"),
    path("classes/<int:pk>/roster/template/", roster.template, name="roster_template"),
    path("classes/<int:pk>/roster/preview/<str:token>/", roster.preview, name="roster_preview"),
    path("classes/<int:pk>/roster/preview/<str:token>/faults/", roster.faults, name="roster_faults"),
    path("classes/<int:pk>/roster/preview/<str:token>/marked/", roster.marked, name="roster_marked"),
    path("classes/<int:pk>/roster/activation/", roster.activation_sheet, name="activation_sheet"),
    path("classes/roster/<int:pk>/activation/", roster.activation, name="activation"),
    path("classes/roster/<int:pk>/removal/", roster.remove, name="roster_remove"),
    path("classes/<int:pk>/timetable/", timetable.editor, name="timetable"),
    path("classes/<int:pk>/timetable/check/", timetable.check, name="timetable_check"),
    path("classes/<int:pk>/filing/", filing.page, name="filing"),
    path("classes/<int:pk>/filing/package/", packages.package, name="package"),
    path("classes/<int:pk>/filing/package/state/", packages.state, name="package_state"),
    path("classes/<int:pk>/filing/package/manifest/", packages.manifest, name="package_manifest"),
    path("classes/<int:pk>/filing/package/retry/", packages.retry, name="package_retry"),
]
