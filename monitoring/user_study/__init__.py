"""The user study: what people are asked, what they answered, and what that says."""
