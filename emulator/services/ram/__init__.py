"""RAM: roles, custom policies with their versions, and which policy is attached to which role."""
