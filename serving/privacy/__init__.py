"""Personal data: pictures kept with consent, pseudonyms, aggregates of identities, pictures for review."""
