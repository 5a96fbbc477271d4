"""Drives a running Beadle with the official Python client: an acceptance story, in which
every method that Beadle promises is called at least once.

Takes the address from BEADLE_URL and a key that may manage keys from BEADLE_MANAGER_KEY.
Prints a line per step, and ends with 1 at the first that fails.
"""

import sys
import traceback
from types import SimpleNamespace

from chapters import applications, consent, definitions, farewell, keys, logs, options
from chapters import signing_keys, templates, temporal, tenants, users, webhooks
from support.client import missing
from support.mailbox import Mailbox
from support.methods import all_methods
from support.receiver import Receiver

CHAPTERS = [
    keys, tenants, users, templates, webhooks, definitions, temporal, consent, options,
    applications, signing_keys, logs, farewell,
]


def every_promised_method_was_called(_world):
    left = missing(all_methods())
    assert not left, f"not called, or not there: {', '.join(left)}"


def main():
    world = SimpleNamespace(receiver=Receiver(), mailbox=Mailbox())
    steps = [step for chapter in CHAPTERS for step in chapter.STEPS]
    for count, step in enumerate([*steps, every_promised_method_was_called], 1):
        what = step.__name__.replace("_", " ")
        try:
            step(world)
        except Exception:
            traceback.print_exc()
            print(f"not ok {count} {what}", file=sys.stderr)
            return 1
        print(f"ok {count} {what}", flush=True)
    print(f"{count} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
