from django.urls import path

from classes.views import classes, filing, roster, timetable

app_name = "classes"
urlpatterns = [
    path("classes/", classes.class_list, name="list"),
    path("classes/new/", classes.create, name="create"),
    path("classes/filings/", filing.queue, name="filings"),
    path("classes/filings/<int:pk>/decision/", filing.decide, name="decide"),
    path("classes/filings/<int:pk>/withdrawal/", filing.withdraw, name="withdraw"),
    path("classes/<int:pk>/", classes.detail, name="detail"),
    path("classes/<int:pk>/edit/", classes.edit, name="edit"),
    path("classes/<int:pk>/cancel/", classes.cancel, name="cancel"),
    path("classes/<int:pk>/roster/", roster.roster, name="roster"),
    path("classes/<int:pk>/roster/template/", roster.template, name="roster_template"),
    path("classes/<int:pk>/roster/marked/", roster.marked, name="roster_marked"),
    path("classes/roster/<int:pk>/removal/", roster.remove, name="roster_remove"),
    path("classes/<int:pk>/timetable/", timetable.editor, name="timetable"),
    path("classes/<int:pk>/timetable/check/", timetable.check, name="timetable_check"),
    path("classes/<int:pk>/filing/", filing.page, name="filing"),
    path("classes/<int:pk>/filing/package/", filing.package, name="package"),
]
