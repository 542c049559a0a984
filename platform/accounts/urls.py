from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts import bodies_views, offices_views, rulebook_views, staff_views, views

app_name = "accounts"
urlpatterns = [
    path("accounts/login/", views.SignInView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/activate/", views.activate, name="activate"),
    path("staff/", staff_views.people, name="staff"),
    path("staff/<int:pk>/activation/", staff_views.activation, name="staff_activation"),
    path("staff/<int:pk>/reset/", staff_views.reset, name="staff_reset"),
    path("staff/<int:pk>/end/", staff_views.end, name="staff_end"),
    path("platform/institutions/", bodies_views.institutions, name="institutions"),
    path("platform/institutions/new/", bodies_views.institution_create, name="institution_create"),
    path("platform/institutions/<int:pk>/", bodies_views.institution, name="institution"),
    path("platform/institutions/<int:pk>/edit/", bodies_views.institution_edit, name="institution_edit"),
    path("platform/bureaus/", bodies_views.bureaus, name="bureaus"),
    path("platform/bureaus/new/", bodies_views.bureau_create, name="bureau_create"),
    path("platform/bureaus/<int:pk>/", bodies_views.bureau, name="bureau"),
    path("platform/bureaus/<int:pk>/edit/", bodies_views.bureau_edit, name="bureau_edit"),
    path("platform/accounts/", offices_views.accounts, name="accounts"),
    path("platform/accounts/<int:pk>/", offices_views.account, name="account"),
    path("platform/accounts/<int:pk>/activation/", offices_views.activation, name="account_activation"),
    path("platform/accounts/<int:pk>/reset/", offices_views.reset, name="account_reset"),
    path("platform/accounts/<int:pk>/suspend/", offices_views.suspend, name="account_suspend"),
    path("platform/accounts/<int:pk>/restore/", offices_views.restore, name="account_restore"),
    path("platform/offices/<int:pk>/end/", offices_views.end, name="office_end"),
    path("policy/", rulebook_views.editions, name="editions"),
    path("policy/compare/", rulebook_views.comparison, name="compare"),
    path("policy/rows/<str:row>/", rulebook_views.rule, name="rule"),
    path("policy/<slug:edition_id>/", rulebook_views.edition, name="edition"),
]
