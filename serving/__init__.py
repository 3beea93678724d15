"""The HTTP service: restorations in production, its page, the user study and the status page."""
