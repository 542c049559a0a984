from django.urls import path

from courses import views

app_name = "courses"
urlpatterns = [
    path("courses/", views.course_list, name="list"),
    path("courses/new/", views.create, name="create"),
    path("courses/<int:pk>/", views.course_detail, name="detail"),
    path("courses/<int:pk>/edit/", views.edit, name="edit"),
    path("courses/<int:pk>/draft/", views.draft, name="draft"),
    path("courses/<int:pk>/versions/<int:n>/", views.version_detail, name="version"),
    path("courses/<int:pk>/versions/<int:n>/outline/", views.outline, name="outline"),
    path("courses/<int:pk>/versions/<int:n>/publish/", views.publish, name="publish"),
    path("courses/<int:pk>/versions/<int:n>/retire/", views.retire, name="retire"),
]
