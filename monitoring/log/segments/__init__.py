"""Sealed segments of the production log: old entries in Parquet files beside it (docs/audit.md)."""
