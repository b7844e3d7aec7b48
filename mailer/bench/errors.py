"""What can go wrong while measuring."""

from mailer.core.errors import MailerError


class NotThisMachine(MailerError):
    """The mail server named is on another machine: made-up people are written to on this one alone."""

    code = "not_this_machine"


class BenchFailed(MailerError):
    """A part of the scratch installation did not do its work; `step` says which, `why` what it said last."""

    code = "bench_failed"
    status = 500
