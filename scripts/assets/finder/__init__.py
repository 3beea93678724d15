"""Where the damage finder's weights come from: its pictures, its training, its calibration."""
