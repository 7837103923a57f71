"""What TF Serving reads: configuration files, and manifests that hand them to it."""
