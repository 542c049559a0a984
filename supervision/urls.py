from django.urls import path

from supervision import views

app_name = "supervision"
urlpatterns = [
    path("supervision/", views.home, name="home"),
    path("supervision/classes/<int:pk>/", views.class_detail, name="class"),
    path("supervision/classes/<int:pk>/attendance/", views.class_attendance, name="attendance"),
    path("supervision/classes/<int:pk>/results/", views.class_results, name="results"),
    path("supervision/classes/<int:pk>/lessons/<int:lesson_pk>/", views.lesson, name="lesson"),
    path("supervision/classes/<int:pk>/evidence/", views.class_evidence, name="evidence"),
    path("supervision/lecturers/", views.lecturers, name="lecturers"),
    path("supervision/institutions/", views.institutions, name="institutions"),
    path("supervision/claims/", views.claims, name="claims"),
    path("supervision/claims/<int:pk>/", views.claim_detail, name="claim"),
    path("supervision/claims/<int:pk>/lines/<int:n>/", views.claim_line, name="claim-line"),
]
