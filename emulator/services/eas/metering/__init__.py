"""What the services of EAS do, measured: their requests at the gateway, and what their processes use."""
