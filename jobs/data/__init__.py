"""`paistack data`: from a heap of images to a version of a dataset, with a reason for each image that is left out."""
