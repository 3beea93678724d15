"""Which networks look at faces: names of those at hand, and insightface packs."""
