"""AIWorkSpace: workspaces, and the models, datasets, code sources and experiments in them."""
