"""The one root of every error we raise on purpose."""


class MailerError(Exception):
    """Base of every error raised on purpose: a stable code, an HTTP status and ids.

    Never put an address, a name or a message body in an error: pass ids, fields and rows.
    """

    code = "mailer_error"
    status = 400

    def __init__(self, **context: object) -> None:
        self.context = context
        super().__init__(" ".join([self.code, *(f"{key}={value}" for key, value in context.items())]))


class InvalidAddress(MailerError):
    """The text given is no address of this channel; `why` is a short reason code."""

    code = "invalid_address"
    status = 422


class InvalidInput(MailerError):
    """A field holds something we cannot take; `field` names it, `why` says what is wrong."""

    code = "invalid_input"
    status = 422


class NotFound(MailerError):
    """There is no such thing, or none that this person may see."""

    code = "not_found"
    status = 404


class NotAllowed(MailerError):
    """The role does not permit this act; screens answer 404 so that they reveal nothing."""

    code = "not_allowed"
    status = 404


class Conflict(MailerError):
    """The thing has moved on since it was read (a second tab, a double press)."""

    code = "conflict"
    status = 409


class TooMany(MailerError):
    """A limit was met; `wait` is the real time left in seconds."""

    code = "too_many"
    status = 429


class BadSettings(MailerError):
    """Settings are half-set or contradict each other; `setting` names the first one."""

    code = "bad_settings"
    status = 500


class CannotSend(MailerError):
    """Sending is refused as a whole; `lacks` names what is missing."""

    code = "cannot_send"
    status = 409


class BehindExits(CannotSend):
    """The database is older than the exits file: it was put back to an earlier state (restore fence)."""

    code = "behind_exits"


class UnknownChannel(MailerError):
    """No channel of that name is configured."""

    code = "unknown_channel"
    status = 404


class KeyProblem(MailerError):
    """The key file is missing, readable by others, or does not fit this database."""

    code = "key_problem"
    status = 500


class BadToken(MailerError):
    """A link's token is cut, forged or of another kind."""

    code = "bad_token"
    status = 404
