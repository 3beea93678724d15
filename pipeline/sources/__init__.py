"""Where portraits come from: every source is a generator of `SourceItem`, sorted and streaming."""

from pipeline.sources.catalogue import open_intake, open_source
from pipeline.sources.item import Published, SourceItem, Split

__all__ = ["Published", "SourceItem", "Split", "open_intake", "open_source"]
