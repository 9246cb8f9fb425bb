"""Runs checks one after the other, and says of each which interaction it shows: "ok CLIENT INTERACTION"."""

import sys
import traceback


class Ticks:
    def __init__(self, client):
        self.client = client
        self.faults = 0

    def show(self, interactions):
        """Runs the function at once; its value stays behind under its name."""

        def run(check):
            try:
                value = check()
            except Exception as error:
                self.faults += 1
                told = "".join(traceback.format_exception(error, limit=-3))
                print(f"FAULT {self.client} {interactions}: {told}")
                return None
            for interaction in interactions.split():
                print(f"ok {self.client} {interaction}")
            return value

        return run

    def end(self):
        sys.exit(1 if self.faults else 0)


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def refused(kind, call):
    """The error that a call ends with; none is a fault."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"this should have been refused with {kind.__name__}")
