"""Alibaba Cloud on the loopback: the control planes that Paistack uses, and EAS's data plane with real processes."""
