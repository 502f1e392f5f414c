"""The pages of users. Django's own views if there are any."""
