"""The user study: its questions, the answers, and their analysis."""
