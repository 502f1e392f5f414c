"""The pages people use. Django's own views where there are any."""
