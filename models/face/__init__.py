"""Faces in pictures: detection, landmarks, alignment, regions, warps, orientation."""
