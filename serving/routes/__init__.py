"""Routes of the service, one router per file."""
