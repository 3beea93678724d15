"""Where a stage maps a pure function over shards of its items: this process, several processes, or a Ray cluster."""
