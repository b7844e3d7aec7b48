"""Practice, Trial, Live: who may be written to for real."""

from enum import StrEnum


class Mode(StrEnum):
    """Practice: nothing leaves. Trial: verified team addresses only. Live: everyone who may be written to."""

    PRACTICE = "practice"
    TRIAL = "trial"
    LIVE = "live"
