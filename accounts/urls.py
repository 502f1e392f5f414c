from django.urls import path

from accounts.views import account, confirm, front, log_in, passwords, sign_up

app_name = "accounts"

urlpatterns = [
    path("", front.HomeView.as_view(), name="home"),
    path("sign-up/", sign_up.SignUpView.as_view(), name="sign-up"),
    path("check-inbox/", sign_up.check_inbox, name="check-inbox"),
    path("check-inbox/again/", sign_up.resend, name="resend"),
    path("check-inbox/correct/", sign_up.CorrectAddressView.as_view(), name="correct-address"),
    path("confirm/again/", confirm.ConfirmAgainView.as_view(), name="confirm-again"),
    path("confirm/again/done/", confirm.ConfirmAgainDoneView.as_view(), name="confirm-again-done"),
    path("confirm/<uid>/<token>/", confirm.ConfirmView.as_view(), name="confirm"),
    path("log-in/", log_in.LogInView.as_view(), name="log-in"),
    path("log-out/", log_in.LogOutView.as_view(), name="log-out"),
    path("password-reset/", passwords.PasswordResetView.as_view(), name="password-reset"),
    path("password-reset/done/", passwords.PasswordResetDoneView.as_view(), name="password-reset-done"),
    path("password-reset/complete/", passwords.PasswordResetCompleteView.as_view(), name="password-reset-complete"),
    path(
        "password-reset/<uidb64>/<token>/",
        passwords.PasswordResetConfirmView.as_view(),
        name="password-reset-confirm",
    ),
    path("account/password/", account.PasswordChangeView.as_view(), name="password-change"),
    path("account/address/", account.AddressChangeView.as_view(), name="address-change"),
    path("account/address/stay/", account.cancel_address_change, name="address-stay"),
    path("account/address/check/", account.check_address, name="address-check"),
    path("account/address/<uid>/<token>/", account.AddressConfirmView.as_view(), name="address-confirm"),
    path("account/preferences/", account.PreferencesView.as_view(), name="preferences"),
    path("account/delete/", account.DeleteView.as_view(), name="delete"),
    path("account/deleted/", account.DeletedView.as_view(), name="deleted"),
]
