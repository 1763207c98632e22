"""EAS's data plane: instances are real processes on this machine, and the gateway is in front of them."""
