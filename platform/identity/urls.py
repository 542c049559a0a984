from django.urls import path

from identity import views

app_name = "identity"
urlpatterns = [
    path("me/consent/", views.consent, name="consent"),
    path("me/face/", views.face, name="face"),
    path("me/face/withdraw/", views.withdraw, name="withdraw"),
    path("face-checks/<int:pk>/", views.review, name="review"),
    path("face-checks/<int:pk>/picture/", views.picture, name="picture"),
]
