"""HTTP: connection and limits, authentication, own pages, forms, JSON and Accept, errors, OpenAPI."""
