from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts import rulebook_views, staff_views, views

app_name = "accounts"
urlpatterns = [
    path("accounts/login/", views.SignInView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/activate/", views.activate, name="activate"),
    path("staff/", staff_views.people, name="staff"),
    path("staff/<int:pk>/activation/", staff_views.activation, name="staff_activation"),
    path("staff/<int:pk>/end/", staff_views.end, name="staff_end"),
    path("policy/", rulebook_views.editions, name="editions"),
    path("policy/compare/", rulebook_views.comparison, name="compare"),
    path("policy/rows/<str:row>/", rulebook_views.rule, name="rule"),
    path("policy/<slug:edition_id>/", rulebook_views.edition, name="edition"),
]
