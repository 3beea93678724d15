"""Pictures kept with consent: records, storage and withdrawal."""
