"""Whole photos: frames cut out and pasted back, seams, edges of masks, classical fills, orientation."""
