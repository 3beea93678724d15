"""Statistical face models, which complete what is missing from what is visible."""
