"""Steps of flows: stages, checkouts, promotion, approval, reports, alerts."""
