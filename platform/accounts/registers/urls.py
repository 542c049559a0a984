from django.urls import path

from accounts.registers import views

app_name = "registers"
urlpatterns = [
    path("registers/lecturers/", views.lecturers, name="lecturers"),
    path("registers/lecturers/<int:pk>/", views.lecturer, name="lecturer"),
    path("registers/lecturers/<int:pk>/qualifications/new/", views.enter, name="enter"),
    path("registers/lecturers/<int:pk>/disqualification/", views.disqualify, name="disqualify"),
    path("registers/qualifications/<int:pk>/", views.qualification, name="qualification"),
    path("registers/qualifications/<int:pk>/edit/", views.edit, name="edit"),
    path("registers/qualifications/<int:pk>/documents/", views.add_paper, name="add_paper"),
    path("registers/qualifications/<int:pk>/submission/", views.submit, name="submit"),
    path("registers/qualifications/<int:pk>/withdrawal/", views.withdraw, name="withdraw"),
    path("registers/qualifications/<int:pk>/decision/", views.decide, name="decide"),
    path("registers/documents/<int:pk>/picture/", views.picture, name="picture"),
    path("registers/documents/<int:pk>/retirement/", views.retire, name="retire"),
    path("registers/institutions/", views.institutions, name="institutions"),
    path("registers/institutions/<int:pk>/", views.institution, name="institution"),
    path("registers/institutions/<int:pk>/documents/", views.add_designation, name="add_designation"),
    path("registers/institutions/<int:pk>/measures/new/", views.order, name="order"),
    path("registers/measures/<int:pk>/", views.measure, name="measure"),
    path("registers/measures/<int:pk>/end/", views.end, name="end"),
    path("announcements/", views.announcements, name="announcements"),
    path("platform/", views.platform, name="platform"),
    path("platform/report/", views.report, name="report"),
    path("platform/documents/", views.add_condition, name="add_condition"),
    path("platform/measures/new/", views.order_platform, name="order_platform"),
]
