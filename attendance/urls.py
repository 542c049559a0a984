from django.urls import path

from attendance import views

app_name = "attendance"
urlpatterns = [
    path("lessons/<int:pk>/sign-in/", views.sign_in, name="sign_in"),
    path("lessons/<int:pk>/sign-out/", views.sign_out, name="sign_out"),
    path("lessons/<int:pk>/sign-ins/", views.desk, name="desk"),
    path("lessons/<int:pk>/sign-ins/codes/", views.issue_code, name="code"),
    path("sign-ins/<int:pk>/confirm/", views.confirm, name="confirm"),
    path("sign-ins/<int:pk>/refuse/", views.refuse, name="refuse"),
    path("classes/<int:pk>/materials/", views.materials, name="materials"),
    path("classes/<int:pk>/materials/<int:material>/", views.watch, name="watch"),
    path("meter/", views.my_meter, name="meter"),
    path("classes/<int:pk>/meter/", views.meter, name="meter"),
    path("classes/<int:pk>/attendance/", views.class_table, name="class"),
    path("attendance/losses/", views.losses, name="losses"),
    path("attendance/losses/<int:pk>/", views.loss_case, name="loss_case"),
    path("attendance/<int:pk>/", views.trainee, name="trainee"),
    path("attendance/<int:pk>/lessons/<int:lesson>/", views.lesson_trace, name="trace"),
]
