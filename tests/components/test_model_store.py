"""What a model store registers."""

from collections.abc import Callable
from pathlib import Path

from components.model_store import ModelStore
from components.store_rules import ModelStoreSettings
from tests.components.conftest import Recorder

OBJECTS = {"models/m/1/model.pt": Path("out/model.pt"), "code/ab/serve.py": Path("model/serve.py")}


def make_store() -> None:
    settings = ModelStoreSettings(keep_old_versions_days=7, force_destroy=True)
    ModelStore("store", settings, bucket_name="a-bucket", objects=OBJECTS, tags={"paistack-stack": "p/test"})


def test_the_bucket_is_private_encrypted_versioned_and_cleaned_up(
    engine: Recorder, run: Callable[[Callable[[], object]], None]
) -> None:
    run(make_store)

    bucket = engine.registered["store-bucket"].inputs
    assert bucket["bucket"] == "a-bucket"
    assert bucket["versioning"] == {"status": "Enabled"}
    assert bucket["serverSideEncryptionRule"] == {"sseAlgorithm": "AES256"}
    assert bucket["tags"] == {"paistack-stack": "p/test"}
    assert {rule["id"] for rule in bucket["lifecycleRules"]} == {"old-versions", "unfinished-uploads", "logs"}
    assert bucket["lifecycleRules"][0]["noncurrentVersionExpirations"] == [{"days": 7}]
    assert engine.registered["store-private"].inputs == {"bucket": "a-bucket", "blockPublicAccess": True}


def test_no_rule_expires_a_model_version_in_use(engine: Recorder, run: Callable[[Callable[[], object]], None]) -> None:
    run(make_store)

    rules = engine.registered["store-bucket"].inputs["lifecycleRules"]
    assert [rule["prefix"] for rule in rules if "expirations" in rule] == ["logs/"]


def test_every_object_is_stored_under_its_key(engine: Recorder, run: Callable[[Callable[[], object]], None]) -> None:
    run(make_store)

    stored = engine.registered["store/models/m/1/model.pt"].inputs
    assert (stored["bucket"], stored["key"], stored["source"]) == ("a-bucket", "models/m/1/model.pt", "out/model.pt")
    assert "store/code/ab/serve.py" in engine.registered
