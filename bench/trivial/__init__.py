"""A Pulumi program of resources that do nothing: the floor that a stack of services is held against."""
