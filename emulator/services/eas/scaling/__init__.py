"""How many instances a service wants: by its load (autoscaler) and by the time of day (cron scaler)."""
