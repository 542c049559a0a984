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
    path("courses/<int:pk>/versions/<int:n>/<slug:kind>/new/", views.add_material, name="add_material"),
    path("materials/<int:pk>/", views.material, name="material"),
    path("materials/<int:pk>/pages/<int:n>/", views.slide_page, name="page"),
    path("materials/<int:pk>/file/", views.material_file, name="file"),
    path("materials/<int:pk>/captions/", views.captions, name="captions"),
    path("materials/<int:pk>/remove/", views.remove_material, name="remove_material"),
]
