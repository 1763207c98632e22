"""The image classifier: what runs inside training and serving containers."""
