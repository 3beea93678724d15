"""What the process needs of its libraries: threads, caches, frozen networks, importable Lightning."""
