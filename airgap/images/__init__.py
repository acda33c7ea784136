"""Images made without an engine and without a registry: OCI layouts, from root file systems and binaries."""
