"""`paistack train` and `paistack models`: from a run on DSW to a registered version, and which one a service runs."""
