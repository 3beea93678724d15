"""Find damage in photos of prints: features, network, tiles, connected pieces with kind and confidence."""
