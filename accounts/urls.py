"""The addresses of people's pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("sign-up/", views.SignUpView.as_view(), name="sign-up"),
    path("check-inbox/", views.check_inbox, name="check-inbox"),
    path("confirm/<uid>/<token>/", views.ConfirmView.as_view(), name="confirm"),
    path("account/address/<uid>/<token>/", views.AddressConfirmView.as_view(), name="address-confirm"),
    path("log-in/", views.LogInView.as_view(), name="log-in"),
    path("log-out/", LogoutView.as_view(), name="log-out"),
    path("password-reset/", views.PasswordResetView.as_view(), name="password-reset"),
    path("password-reset/done/", views.PasswordResetDoneView.as_view(), name="password-reset-done"),
    path("password-reset/complete/", views.PasswordResetCompleteView.as_view(), name="password-reset-complete"),
    path("password-reset/<uidb64>/<token>/", views.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
]
