"""`make bench`: how fast email leaves, compared with what a developer would use instead."""
