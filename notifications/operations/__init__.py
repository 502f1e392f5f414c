"""What operators ask of the running whole."""
