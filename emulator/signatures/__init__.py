"""Who signed a request: one file for each of Alibaba Cloud's signature schemes."""
