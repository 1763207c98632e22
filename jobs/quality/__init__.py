"""How good a deployed model is, and who calls it: read from what its replicas log."""
