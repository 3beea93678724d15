"""Networks, losses, metrics, identity: torch only; no dependency on the stages or on orchestration."""
