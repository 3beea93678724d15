"""Words from outside that are to be printed."""


def printable(text: str, limit: int = 200) -> str:
    """One line that is safe in logs and on terminals: control, bidirectional and lone surrogate characters escaped."""
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return escaped if len(escaped) <= limit else escaped[: limit - 3] + "..."
