"""Names of the regions of a face; sides are those of the picture."""

from typing import Literal, get_args

Feature = Literal["left_eye", "right_eye", "left_brow", "right_brow", "nose", "mouth"]
Region = Literal["left_eye", "right_eye", "left_brow", "right_brow", "nose", "mouth", "skin", "background"]
"""`skin` is the rest of the face hull, `background` what lies outside of it."""
FEATURES: tuple[Feature, ...] = get_args(Feature)
REGIONS: tuple[Region, ...] = get_args(Region)
