from django.urls import path

from classes.live import views

app_name = "live"
urlpatterns = [
    path("lessons/<int:pk>/room/", views.room, name="room"),
    path("lessons/<int:pk>/replay/", views.replay, name="replay"),
    path("lessons/<int:pk>/recordings/<int:number>/", views.recording, name="recording"),
]
