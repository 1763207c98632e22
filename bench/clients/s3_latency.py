"""Puts and gets of 1 KiB through boto3; prints the latencies in milliseconds as JSON."""

import json
import sys
import time

import boto3


def main(url: str, rounds: int) -> None:
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    client.create_bucket(Bucket="bench-latency")
    body = b"x" * 1024
    taken: dict[str, list[float]] = {"put": [], "get": []}
    for number in range(rounds):
        key = f"object-{number % 100}"
        began = time.perf_counter()
        client.put_object(Bucket="bench-latency", Key=key, Body=body)
        put = time.perf_counter()
        client.get_object(Bucket="bench-latency", Key=key)["Body"].read()
        got = time.perf_counter()
        taken["put"].append((put - began) * 1000)
        taken["get"].append((got - put) * 1000)
    json.dump(taken, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
