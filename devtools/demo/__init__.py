"""`make demo`: the main job without a person, measured and checked against what the provider has written down."""
