from django.urls import path

from exams import views

app_name = "exams"
urlpatterns = [
    path("exams/", views.mine, name="mine"),
    path("exams/<int:pk>/take/", views.take, name="take"),
    path("attempts/<int:pk>/", views.result, name="result"),
    path("attempts/<int:pk>/submit/", views.submit, name="submit"),
    path("lessons/<int:pk>/coursework/", views.coursework, name="coursework"),
    path("submissions/<int:pk>/score/", views.score, name="score"),
    path("classes/<int:pk>/exam/", views.class_exam, name="class"),
    path("classes/<int:pk>/conclude/", views.conclude, name="conclude"),
]
