from django.urls import path

from subsidies import views

app_name = "subsidies"
urlpatterns = [
    path("claims/", views.claim_list, name="list"),
    path("claims/draw-up/<int:class_pk>/", views.draw_up, name="draw_up"),
    path("claims/<int:pk>/", views.claim, name="claim"),
    path("claims/<int:pk>/redraw/", views.redraw, name="redraw"),
    path("claims/<int:pk>/submit/", views.submit, name="submit"),
    path("claims/<int:pk>/return/", views.send_back, name="return"),
    path("claims/<int:pk>/notice/", views.announce, name="announce"),
    path("claims/<int:pk>/decision/", views.decide, name="decide"),
    path("claims/<int:pk>/objections/<int:objection_pk>/", views.answer, name="answer"),
    path("claims/<int:pk>/lines/<int:n>/", views.trace, name="trace"),
    path("claims/<int:pk>/export/", views.export, name="export"),
    path("claims/<int:pk>/dossier/", views.dossier, name="dossier"),
    path("notices/", views.notice_list, name="notices"),
    path("notices/<int:pk>/", views.notice, name="notice"),
    path("notices/<int:pk>/received/", views.received, name="received"),
]
