"""Mark restored pictures as AI-restored: XMP and signed C2PA manifests."""
