"""The operations that OSS has and the emulator refuses by name, by what they address, method and selector."""

_SETTINGS = {
    # Sub-resource: the operations on it, by method.
    "accessPoint": {"PUT": "CreateAccessPoint", "GET": "GetAccessPoint", "DELETE": "DeleteAccessPoint"},
    "accessPointPolicy": {
        "PUT": "PutAccessPointPolicy",
        "GET": "GetAccessPointPolicy",
        "DELETE": "DeleteAccessPointPolicy",
    },
    "asyncFetch": {"POST": "PostAsyncFetchTask", "GET": "GetAsyncFetchTask"},
    "cname": {"GET": "ListCname"},
    "cname add": {"POST": "PutCname"},
    "cname delete": {"POST": "DeleteCname"},
    "cname token": {"GET": "GetCnameToken", "POST": "CreateCnameToken"},
    "dataPipeline": {"POST": "DoDataPipelineAction"},
    "inventory": {"PUT": "PutBucketInventory", "GET": "GetBucketInventory", "DELETE": "DeleteBucketInventory"},
    "live": {"GET": "ListLiveChannel"},
    "MetaQuery": {"POST": "DoMetaQueryAction"},
    "metaQuery": {"GET": "GetMetaQueryStatus"},
    "metaQuery add": {"POST": "OpenMetaQuery"},
    "metaQuery delete": {"POST": "CloseMetaQuery"},
    "metaQuery query": {"POST": "DoMetaQuery"},
    "metadataConfiguration": {
        "POST": "CreateBucketMetadataConfiguration",
        "GET": "GetBucketMetadataConfiguration",
        "DELETE": "DeleteBucketMetadataConfiguration",
    },
    "metadataInventoryTable": {"PUT": "UpdateBucketMetadataInventoryTableConfiguration"},
    "metadataJournalTable": {"PUT": "UpdateBucketMetadataJournalTableConfiguration"},
    "objectWorm": {"PUT": "PutBucketObjectWormConfiguration", "GET": "GetBucketObjectWormConfiguration"},
    "overwriteConfig": {
        "PUT": "PutBucketOverwriteConfig",
        "GET": "GetBucketOverwriteConfig",
        "DELETE": "DeleteBucketOverwriteConfig",
    },
    "qosInfo": {"PUT": "PutBucketQosInfo", "GET": "GetBucketQosInfo", "DELETE": "DeleteBucketQosInfo"},
    "quota": {"PUT": "PutBucketStorageQuota", "GET": "GetBucketStorageQuota", "DELETE": "DeleteBucketStorageQuota"},
    "redundancyTransition": {
        "POST": "CreateBucketDataRedundancyTransition",
        "GET": "GetBucketDataRedundancyTransition",
        "DELETE": "DeleteBucketDataRedundancyTransition",
    },
    "replication": {"GET": "GetBucketReplication"},
    "replication add": {"POST": "PutBucketReplication"},
    "replication delete": {"POST": "DeleteBucketReplication"},
    "replicationLocation": {"GET": "GetBucketReplicationLocation"},
    "replicationProgress": {"GET": "GetBucketReplicationProgress"},
    "responseHeader": {
        "PUT": "PutBucketResponseHeader",
        "GET": "GetBucketResponseHeader",
        "DELETE": "DeleteBucketResponseHeader",
    },
    "rtc": {"PUT": "PutBucketRtc"},
    "style": {"PUT": "PutStyle", "GET": "GetStyle", "DELETE": "DeleteStyle"},
    "worm": {"POST": "InitiateBucketWorm", "GET": "GetBucketWorm", "DELETE": "AbortBucketWorm"},
    "wormExtend": {"POST": "ExtendBucketWorm"},
    "wormId": {"POST": "CompleteBucketWorm"},
    "": {"POST": "PostObject"},
}

_OBJECT = {
    "asyncFetch": {"POST": "PostAsyncFetchTask", "GET": "GetAsyncFetchTask"},
    "legalHold": {"PUT": "PutObjectLegalHold", "GET": "GetObjectLegalHold"},
    "live": {"PUT": "PutLiveChannel", "GET": "GetLiveChannelInfo", "DELETE": "DeleteLiveChannel"},
    "retention": {"PUT": "PutObjectRetention", "GET": "GetObjectRetention"},
    "seal": {"POST": "SealAppendObject"},
    "vod": {"POST": "PostVodPlaylist", "GET": "GetVodPlaylist"},
    "x-oss-async-process": {"POST": "AsyncProcessObject"},
    "x-oss-process": {"GET": "GetObject with x-oss-process", "POST": "ProcessObject"},
}

_SERVICE = {
    "accessPoint": {"GET": "ListAccessPoints"},
    "cloudboxes": {"GET": "ListCloudBoxes"},
    "publicAccessBlock": {
        "PUT": "PutPublicAccessBlock",
        "GET": "GetPublicAccessBlock",
        "DELETE": "DeletePublicAccessBlock",
    },
    "qosInfo": {"GET": "GetUserQosInfo"},
    "redundancyTransition": {"GET": "ListUserDataRedundancyTransition"},
    "resourcePool": {"GET": "ListResourcePools"},
}

NOT_EMULATED: dict[tuple[str, str, str], str] = {
    (target, method, selector): name
    for target, selectors in (("bucket", _SETTINGS), ("object", _OBJECT), ("service", _SERVICE))
    for selector, methods in selectors.items()
    for method, name in methods.items()
}
