"""The engine's pages for recipients, opened by signed links. `notifications/page.html` is their frame."""
