"""Where requests go: groups of services, weights, mirrored requests."""
