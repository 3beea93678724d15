"""Studies behind the claims: onset of hallucination, transition, curvature, variants."""
