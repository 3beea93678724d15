"""Compare production with its baseline: columns, identities, reports."""
