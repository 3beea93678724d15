"""Revisions of the production log's schema, one per file. A released file is never changed: add another one."""
