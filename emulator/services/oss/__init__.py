"""Object Storage Service: buckets, objects and their versions, multipart uploads, bucket settings."""
