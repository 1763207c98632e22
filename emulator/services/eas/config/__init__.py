"""The service JSON: the body of CreateService and UpdateService, with the documented keys and nothing else.

Sources: "JSON deployment" of the EAS user guide (its tables and its full example), "Configure health checks" for the
probes, and the vendor's own deployment guide (aliyun/alibabacloud-aiops-skills) for `disk`, `args`, `resources` and
`nlb`. The server gives a configuration back as it got it: the documented examples of ServiceConfig have no token and no
defaults in them, and the acceptance tests of the Go provider expect no difference after a create.
"""
