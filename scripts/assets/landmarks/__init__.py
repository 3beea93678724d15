"""The network that places the landmarks of damaged portraits: its data and its training."""
