"""The memory of used nonces."""

from emulator.signatures.nonces import Nonces


def test_a_nonce_can_be_used_once() -> None:
    nonces = Nonces(lifetime_s=1800)

    assert nonces.use("a")
    assert nonces.use("b")
    assert not nonces.use("a")


def test_as_many_nonces_as_the_limit_are_always_remembered() -> None:
    nonces = Nonces(lifetime_s=1800, limit=3)

    for number in range(20):
        assert nonces.use(str(number))
    assert [nonces.use(str(number)) for number in (17, 18, 19)] == [False, False, False]


def test_memory_is_bounded_and_the_oldest_are_forgotten() -> None:
    nonces = Nonces(lifetime_s=1800, limit=3)

    for number in range(20):
        nonces.use(str(number))

    assert nonces.use("0")


def test_what_is_older_than_two_lifetimes_is_forgotten() -> None:
    nonces = Nonces(lifetime_s=0)

    nonces.use("a")
    nonces.use("b")
    nonces.use("c")

    assert nonces.use("a")
