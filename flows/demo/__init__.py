"""The demo: the whole loop on built-in portraits, with traffic that drifts; its story is data (`story.py`)."""
