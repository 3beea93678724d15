"""Run everything on one machine: `likeness up` and its processes."""
