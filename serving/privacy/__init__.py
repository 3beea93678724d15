"""Pictures kept with consent, pseudonyms, and aggregates of identities."""
