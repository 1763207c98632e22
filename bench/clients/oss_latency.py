"""Puts and gets of 1 KiB through oss2; prints the latencies in milliseconds as JSON."""

import json
import sys
import time

import oss2


def main(url: str, rounds: int) -> None:
    auth = oss2.Auth("LTAI5tPaistackEmulator00", "paistack-emulator-secret-0000000")
    bucket = oss2.Bucket(auth, url, "bench-latency")
    bucket.create_bucket()
    body = b"x" * 1024
    taken: dict[str, list[float]] = {"put": [], "get": []}
    for number in range(rounds):
        key = f"object-{number % 100}"
        began = time.perf_counter()
        bucket.put_object(key, body)
        put = time.perf_counter()
        bucket.get_object(key).read()
        got = time.perf_counter()
        taken["put"].append((put - began) * 1000)
        taken["get"].append((got - put) * 1000)
    json.dump(taken, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
