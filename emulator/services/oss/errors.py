"""OSS's refusals that more than one operation has, in its own codes and words."""

from emulator.errors import ApiError


def no_such_bucket(name: str) -> ApiError:
    return ApiError("NoSuchBucket", "The specified bucket does not exist.", 404, details={"BucketName": name})


def no_such_key(key: str) -> ApiError:
    return ApiError("NoSuchKey", "The specified key does not exist.", 404, details={"Key": key})


def no_such_version(key: str, version_id: str) -> ApiError:
    message = "The specified version does not exist."
    return ApiError("NoSuchVersion", message, 404, details={"Key": key, "VersionId": version_id})


def no_such_upload(upload_id: str) -> ApiError:
    message = "The specified upload does not exist: its id is wrong, or it was aborted or completed."
    return ApiError("NoSuchUpload", message, 404, details={"UploadId": upload_id})


def invalid_argument(name: str, value: str, message: str) -> ApiError:
    return ApiError("InvalidArgument", message, 400, details={"ArgumentName": name, "ArgumentValue": value})


def precondition_failed(condition: str) -> ApiError:
    message = "At least one of the pre-conditions you specified did not hold."
    return ApiError("PreconditionFailed", message, 412, details={"Condition": condition})


def access_denied(message: str, **details: str) -> ApiError:
    return ApiError("AccessDenied", message, 403, details=details)


def not_implemented(what: str) -> ApiError:
    message = f"the emulator has no {what} in OSS; COVERAGE.md lists what it has"
    return ApiError("NotImplemented", message, 501)
