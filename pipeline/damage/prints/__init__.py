"""Damage to paper prints, drawn as paper breaks, and the looks of intact prints; each pixel labelled with its kind."""
