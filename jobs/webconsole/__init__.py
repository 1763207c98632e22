"""`paistack console`: one local page that shows a stack, read through the SDKs with the caller's credentials."""
