"""Read untrusted picture files, and write pictures; every outcome of reading is a value."""
