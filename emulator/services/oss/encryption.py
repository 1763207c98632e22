"""Server-side encryption, as far as it can be seen from outside: its settings are kept and given back."""

from emulator.errors import ApiError
from emulator.services.oss.records import Bucket, Encryption

ALGORITHMS = ("AES256", "KMS", "SM4")
HEADER, KEY_HEADER, DATA_HEADER = (
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
    "x-oss-server-side-data-encryption",
)
HEADERS = (HEADER, KEY_HEADER, DATA_HEADER)


def from_headers(headers: dict[str, str]) -> Encryption | None:
    """What the headers of an upload or of a new bucket ask for."""
    algorithm = headers.get(HEADER)
    if not algorithm:
        return None
    return checked(Encryption(
        algorithm=algorithm, kms_key_id=headers.get(KEY_HEADER, ""), kms_data_encryption=headers.get(DATA_HEADER, "")
    ))  # fmt: skip


def checked(encryption: Encryption) -> Encryption:
    """InvalidEncryptionAlgorithmError or InvalidArgument when there is no such encryption."""
    if encryption.algorithm not in ALGORITHMS:
        message = f"The encryption algorithm {encryption.algorithm} is not one of {', '.join(ALGORITHMS)}."
        raise ApiError("InvalidEncryptionAlgorithmError", message)
    if encryption.algorithm != "KMS" and (encryption.kms_key_id or encryption.kms_data_encryption):
        message = f"A KMS key was given, but the algorithm is {encryption.algorithm}."
        raise ApiError("InvalidEncryptionRequest", message)
    return encryption


def of_object(headers: dict[str, str], bucket: Bucket) -> dict[str, str]:
    """The headers by which an object tells how it is encrypted: as asked for, else as the bucket has it."""
    encryption = from_headers(headers) or bucket.encryption
    if encryption is None:
        return {}
    told = {HEADER: encryption.algorithm}
    if encryption.kms_key_id:
        told[KEY_HEADER] = encryption.kms_key_id
    if encryption.kms_data_encryption:
        told[DATA_HEADER] = encryption.kms_data_encryption
    return told
