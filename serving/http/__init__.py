"""HTTP: connection and limits, authentication, forms and Accept, errors, OpenAPI."""
