"""The air-gapped kit: every tool and image built from package registries, for machines without an image registry."""
