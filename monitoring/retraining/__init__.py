"""Decide when to retrain: windows, alarms, recognition, and the policy for cycles."""
