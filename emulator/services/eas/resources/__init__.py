"""The machines that services run on: instance types, dedicated and virtual resource groups, spot."""
