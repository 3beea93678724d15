"""Backups of a workspace: one file that holds what cannot be made again, and the way back to a folder."""
