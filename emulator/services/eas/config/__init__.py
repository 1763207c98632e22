"""The service JSON: the body of CreateService and UpdateService, with the documented keys and nothing else.

Source: "JSON deployment" of the EAS user guide (parameter tables and the full example); probes from "Configure health
checks"; the keys that only the vendor's own deployment skill documents are marked where they stand.
"""
