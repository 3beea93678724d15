"""The production log: an append-only, hash-chained journal of restorations, feedback and deletions."""
