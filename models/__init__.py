"""Networks, losses, metrics, identity: torch only; knows nothing of orchestration."""
