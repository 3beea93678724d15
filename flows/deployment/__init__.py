"""Deployments on a Prefect server: schedules, triggers, events, the worker's entry point."""
