"""The Pulumi engine of this project: built from pinned Go modules, or an installed one; see README.md."""
