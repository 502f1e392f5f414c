"""Answers operators' questions about the running system."""
