"""HTTP as such: uploads, limits, timeouts, errors, tokens, content negotiation, OpenAPI."""
