"""Commands for model versions: registry, A/B test, studies."""
