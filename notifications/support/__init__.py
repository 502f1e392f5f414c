"""Answers "Where is my email?"."""
