"""Pages that belong to no app: home, about, and in development the living style page."""

from django.conf import settings
from django.urls import path

from config import views

urlpatterns = [
    path("", views.home, name="home"),
    path("about/", views.about, name="about"),
]
if settings.MODE != "production":
    urlpatterns.append(path("_components/", views.components, name="components"))
