"""Types of the requests and answers, validated and documented."""
