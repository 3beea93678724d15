"""Everything on one machine: `likeness up` and its processes."""
