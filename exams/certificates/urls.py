from django.urls import path

from exams.certificates import views

app_name = "certificates"
urlpatterns = [
    path("certificates/check/", views.check, name="check"),
    path("certificates/<int:pk>/pdf/", views.pdf, name="pdf"),
]
