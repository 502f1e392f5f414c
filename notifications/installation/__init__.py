"""Is the engine completely installed in this project, and what is missing?"""
