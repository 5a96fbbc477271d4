"""The official client, watched, and a short way to say what a call has to answer."""

import os
import time

from fusionauth.fusionauth_client import FusionAuthClient

PATIENCE = 30
_called = set()


class Watched:
    """An official client whose calls are counted."""

    def __init__(self, key):
        self._client = FusionAuthClient(key, os.environ["BEADLE_URL"])

    def __getattr__(self, name):
        _called.add(name)
        return getattr(self._client, name)


def missing(methods):
    """The methods that the story has not called, and those that do not exist."""
    return [m for m in methods if m not in _called or not hasattr(FusionAuthClient, m)]


def ok(answer, status=200):
    """The body of a call that must have succeeded."""
    assert answer.was_successful(), show(answer)
    assert answer.status == status, show(answer)
    return answer.success_response


def refused(answer, status):
    """What came with a call that must have been refused."""
    assert not answer.was_successful(), show(answer)
    assert answer.status == status, show(answer)
    return answer.error_response


def codes(answer):
    """The codes of a call that must have been refused with 400, sorted."""
    errors = refused(answer, 400)
    found = list(errors["generalErrors"])
    for of_field in errors["fieldErrors"].values():
        found += of_field
    return sorted(error["code"] for error in found)


def equal(given, expected):
    """That they are equal; says what was given if they are not."""
    assert given == expected, f"{given!r} is not {expected!r}"


def until(what, ask):
    """Asks again and again until there is an answer, and returns it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def now():
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def show(answer):
    """A failed expectation's answer, for people."""
    error = answer.error_response
    return f"{answer.status}: {getattr(error, 'text', error)} {answer.success_response}"
