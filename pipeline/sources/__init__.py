"""Where portraits come from: every source is a generator of `SourceItem`, sorted and streaming."""
