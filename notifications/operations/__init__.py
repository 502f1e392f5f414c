"""What operators ask about the running system."""
