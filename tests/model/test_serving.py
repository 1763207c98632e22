"""A replica under a client's eyes: answers, batches, overload, health, metrics, log, draining, and failing to start."""

import base64
import io
import json
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import torch
from PIL import Image

from model import network, sources
from model.serving.__main__ import listen
from model.serving.images import Input, decode
from model.serving.settings import Settings
from tests.model.conftest import SPEC, Fragile, Gate, GatedModel, scripted, store
from tests.model.serving import Replica, replica

pytestmark = pytest.mark.model

PICTURES = sorted((sources.SAMPLE / "pictures").glob("*.png"))
PICTURE = PICTURES[0].read_bytes()


@pytest.fixture(scope="module")
def serving(untrained: Path) -> Iterator[Replica]:
    with replica(untrained) as running:
        yield running


@contextmanager
def held(running: Replica, gate: Gate, count: int) -> Iterator[list[Future[httpx.Response]]]:
    """So many pictures in the process at once, and none gets through before the block ends or opens the gate."""
    gate.close()
    with httpx.Client(base_url=running.url, timeout=60) as client, ThreadPoolExecutor(count) as pool:
        requests = [pool.submit(client.post, "/", content=PICTURE) for _ in range(count)]
        try:
            running.await_metric("serve_in_flight", count)
            yield requests
        finally:
            gate.open()


def test_an_answer_names_the_class_the_runners_up_and_the_model(serving: Replica, untrained: Path) -> None:
    answer = httpx.post(f"{serving.url}/classify", content=PICTURE).json()
    pixels = decode(PICTURE, Input(**SPEC.model_dump()), 10_000)
    probabilities = network.load((untrained / "model.pt").read_bytes())(torch.tensor(pixels)[None])[0]
    best = probabilities.topk(3)
    labels = json.loads((untrained / "labels.json").read_text())
    assert answer["model"] == {"name": "fashion", "version": "0123456789ab"}
    assert answer["latency_ms"] > 0
    (prediction,) = answer["predictions"]
    assert [each["class_id"] for each in prediction["top"]] == best.indices.tolist()
    assert [each["label"] for each in prediction["top"]] == [labels[i] for i in best.indices.tolist()]
    assert [each["confidence"] for each in prediction["top"]] == pytest.approx(best.values.tolist(), abs=1e-5)
    assert {key: prediction[key] for key in ("label", "class_id", "confidence")} == prediction["top"][0]


def test_the_same_picture_gets_the_same_answer_in_every_form(serving: Replica) -> None:
    text = base64.b64encode(PICTURE).decode()
    rows = [list(row) for row in _rows(PICTURES[0])]
    bodies = [PICTURE, *(json.dumps(each).encode() for each in ({"image": text}, {"images": [text]}, {"pixels": rows}))]
    answers = [httpx.post(serving.url, content=body).json()["predictions"] for body in bodies]
    assert answers[1:] == answers[:1] * 3


def _rows(picture: Path) -> Iterator[list[int]]:
    with Image.open(picture) as image:
        values = list(image.tobytes())
        yield from (values[start : start + image.width] for start in range(0, len(values), image.width))


def test_images_classified_together_get_the_answers_they_get_alone(serving: Replica) -> None:
    alone = [httpx.post(serving.url, content=each.read_bytes()).json()["predictions"][0] for each in PICTURES]
    texts = [base64.b64encode(each.read_bytes()).decode() for each in PICTURES]
    together = httpx.post(serving.url, json={"images": texts}).json()["predictions"]
    assert [each["class_id"] for each in together] == [each["class_id"] for each in alone]
    assert [each["confidence"] for each in together] == pytest.approx([each["confidence"] for each in alone], abs=1e-5)


def test_requests_that_wait_at_the_same_time_share_a_forward_pass(gated: GatedModel) -> None:
    with replica(gated.folder, ["--max-batch", "4"]) as running:
        with held(running, gated.gate, 10) as requests:
            pass
        assert {each.result().status_code for each in requests} == {200}
        assert running.metric("serve_batch_size_sum") == 10
        assert running.metric("serve_batch_size_count") in (3, 4)


def test_more_requests_than_the_queue_holds_are_told_to_come_back(gated: GatedModel) -> None:
    with replica(gated.folder, ["--max-queue", "2"]) as running:
        with held(running, gated.gate, 2) as requests:
            refused = httpx.post(running.url, content=PICTURE)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.json()["error"]["code"] == "overloaded"
        assert {each.result().status_code for each in requests} == {200}
        assert httpx.post(running.url, content=PICTURE).status_code == 200


def test_a_forward_pass_that_fails_is_a_500_with_its_reason_in_the_log_and_the_next_succeeds(tmp_path: Path) -> None:
    with replica(store(tmp_path / "fragile", scripted(Fragile()))) as running:
        failed = httpx.post(running.url, json={"pixels": [[100]]}, headers={"X-Request-Id": "grey"})
        assert (failed.status_code, failed.json()["error"]["code"]) == (500, "internal")
        assert "too grey" not in failed.text
        assert "too grey" in running.await_event("failed", request_id="grey")["traceback"]
        assert httpx.post(running.url, content=PICTURE).status_code == 200


def test_a_large_photograph_is_classified(serving: Replica) -> None:
    photograph = io.BytesIO()
    Image.effect_noise((1200, 900), 80).save(photograph, "JPEG")
    answer = httpx.post(serving.url, content=photograph.getvalue())
    assert (answer.status_code, len(answer.json()["predictions"])) == (200, 1)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_draining_loses_no_request_that_was_accepted(gated: GatedModel, stop: signal.Signals) -> None:
    with replica(gated.folder, ["--max-batch", "2", "--drain-delay-s", "0.5"]) as running:
        url = running.url
        with held(running, gated.gate, 6) as requests, httpx.Client(base_url=url) as probe:
            running.process.send_signal(stop)
            while (health := probe.get("/healthz")).status_code == 200:
                pass
            assert (health.json(), health.headers["Connection"]) == ({"status": "draining"}, "close")
        assert {each.result().status_code for each in requests} == {200}
        assert running.wait() == 0
        assert running.await_event("stopped")["lost"] == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def test_a_request_that_draining_cannot_wait_for_makes_the_exit_a_failure(gated: GatedModel) -> None:
    with replica(gated.folder, ["--drain-delay-s", "0", "--drain-timeout-s", "1"]) as running:
        with held(running, gated.gate, 3):
            running.terminate()
            assert running.wait() == 1
        assert running.await_event("stopped")["lost"] == 3


def test_while_the_model_is_loaded_health_and_requests_say_so(untrained: Path) -> None:
    running = Replica(untrained)
    try:
        health, refused = httpx.get(f"{running.url}/healthz"), httpx.post(running.url, content=PICTURE)
        assert (health.status_code, health.json()) == (503, {"status": "loading"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "loading")
        assert refused.headers["Retry-After"] == "5"
        running.await_event("ready")
        assert httpx.get(f"{running.url}/healthz").status_code == 200
    finally:
        running.close()


def test_the_root_says_what_is_served(serving: Replica) -> None:
    about = httpx.get(serving.url).json()
    assert about["status"] == "ready"
    assert about["model"]["name"] == "fashion"
    assert "Ankle boot" in about["model"]["labels"]


def test_metrics_count_requests_refusals_predictions_and_batches(serving: Replica) -> None:
    names = [
        'serve_requests_total{path="/classify",status="200"}',
        'serve_requests_total{path="/classify",status="415"}',
        'serve_requests_total{path="other",status="404"}',
        'serve_refusals_total{code="unsupported_media"}',
        "serve_request_seconds_count",
        'serve_request_seconds_bucket{le="+Inf"}',
        "serve_batch_size_sum",
    ]
    before = [serving.metric(name) for name in names]
    text = base64.b64encode(PICTURE).decode()
    label = httpx.post(f"{serving.url}/classify", json={"images": [text] * 3}).json()["predictions"][0]["label"]
    httpx.post(f"{serving.url}/classify", content=b"hello")
    httpx.get(f"{serving.url}/elsewhere")
    assert [serving.metric(name) - was for name, was in zip(names, before, strict=True)] == [1, 1, 1, 1, 1, 1, 3]
    assert serving.metric(f'serve_predictions_total{{label="{label}"}}') >= 3
    assert serving.metric('serve_model_info{name="fashion",version="0123456789ab"}') == 1


@pytest.mark.parametrize("header", ["X-Request-Id", "x-eas-request-id"])
def test_a_request_keeps_its_id_in_the_answer_and_in_the_log(serving: Replica, header: str) -> None:
    answer = httpx.post(serving.url, content=PICTURE, headers={header: f"from-{header}"})
    assert answer.headers["X-Request-Id"] == f"from-{header}"
    line = serving.await_event("request", request_id=f"from-{header}")
    assert (line["path"], line["status"], line["level"]) == ("/", 200, "info")
    assert line["latency_ms"] > 0


def test_the_log_says_what_was_predicted_for_which_input_and_for_whom(serving: Replica) -> None:
    tags = {"x-paistack-source": "app", "x-paistack-business": "new order?" + "x" * 80}
    answer = httpx.post(serving.url, content=PICTURE, headers={"X-Request-Id": "told", **tags}).json()
    line = serving.await_event("request", request_id="told")

    (prediction,) = line["predictions"]
    assert (prediction["label"], prediction["confidence"]) == (
        answer["predictions"][0]["label"],
        pytest.approx(answer["predictions"][0]["confidence"], abs=1e-4),
    )
    assert 0 < prediction["mean"] < 255
    assert 0 < prediction["deviation"] < 128
    assert (line["model"], line["version"]) == ("fashion", "0123456789ab")
    assert line["tags"] == {"source": "app", "business": "new_order_" + "x" * 54}


def test_a_tag_that_says_nothing_is_no_tag(serving: Replica) -> None:
    tags = {"x-paistack-source": "", "x-paistack-region": "eu"}
    httpx.post(serving.url, content=PICTURE, headers={"X-Request-Id": "blank", **tags})
    assert serving.await_event("request", request_id="blank")["tags"] == {"region": "eu"}


def test_the_log_can_be_silent_about_predictions(untrained: Path) -> None:
    with replica(untrained, environment={"PREDICTION_LOG": "off"}) as running:
        httpx.post(running.url, content=PICTURE, headers={"X-Request-Id": "untold"})
        assert "predictions" not in running.await_event("request", request_id="untold")


@pytest.mark.parametrize("bad", ["", "two words", "x" * 129])
def test_an_id_that_would_spoil_the_log_is_replaced(serving: Replica, bad: str) -> None:
    request_id = httpx.get(serving.url, headers={"X-Request-Id": bad}).headers["X-Request-Id"]
    assert len(request_id) == 32
    assert request_id != bad


def test_onnx_runtime_answers_what_torchscript_answers(untrained: Path) -> None:
    with replica(untrained) as script, replica(untrained, ["--runtime", "onnx"]) as onnx:
        first, second = (httpx.post(each.url, content=PICTURE).json()["predictions"][0] for each in (script, onnx))
    assert first["label"] == second["label"]
    assert [each["confidence"] for each in first["top"]] == pytest.approx(
        [each["confidence"] for each in second["top"]], abs=1e-4
    )


def test_a_model_without_the_file_of_its_runtime_is_not_served(tmp_path: Path) -> None:
    body = network.resnet("resnet18", classes=10, channels=1, size=28, width=8)
    folder = store(tmp_path / "script-only", body)
    running = Replica(folder, ["--runtime", "onnx"])
    try:
        assert running.wait() == 1
        assert "model.onnx" in str(running.await_event("not loaded")["error"])
    finally:
        running.close()


def test_options_win_over_the_environment() -> None:
    settings = Settings.parse(["--max-images", "2"], {"MAX_IMAGES": "1", "MAX_PIXELS": "100"})
    assert (settings.max_images, settings.max_pixels, settings.top_k) == (2, 100, 3)


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        (["--port", "70000"], {}, "argument --port: 70000; allowed: 0 to 65535"),
        (["--max-batch", "0"], {}, "argument --max-batch: 0; allowed: 1 or more"),
        (["--max-wait-ms", "nan"], {}, "argument --max-wait-ms: nan; allowed: 0 or more"),
        (["--runtime", "tflite"], {}, "argument --runtime: 'tflite'; allowed: torchscript, onnx"),
        (["--device", "tpu"], {}, "argument --device: 'tpu'; allowed: auto, cpu, cuda"),
        (["--max-bodies", "1"], {}, "unrecognized arguments: --max-bodies 1"),
        ([], {"MAX_QUEUE": "many"}, "argument --max-queue: invalid int value: 'many'"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(
    options: list[str], environment: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        Settings.parse(options, environment)
    assert message in capsys.readouterr().err


def _fails_to_load(folder: Path) -> str:
    running = Replica(folder)
    try:
        assert running.wait() == 1
        return str(running.await_event("not loaded")["error"])
    finally:
        running.close()


def test_without_a_model_the_process_ends_and_says_what_is_missing(tmp_path: Path) -> None:
    error = _fails_to_load(tmp_path)
    assert "manifest.json" in error
    assert "it must hold what `python -m model.train --out` writes" in error


def test_a_model_that_was_damaged_on_its_way_is_not_served(tmp_path: Path) -> None:
    body = network.resnet("resnet18", classes=10, channels=1, size=28, width=8)
    folder = store(tmp_path / "damaged", body)
    content = bytearray((folder / "model.pt").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.pt").write_bytes(content)
    assert "model.pt: not the sha256 in manifest.json" in _fails_to_load(folder)


def test_a_port_that_is_taken_ends_the_process(untrained: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = Replica(untrained, ["--port", str(taken.getsockname()[1])])
        try:
            assert running.wait() == 1
            assert "in use" in running.await_event("cannot listen")["error"]
        finally:
            running.close()


def test_answers_do_not_wait_for_acknowledgements() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
