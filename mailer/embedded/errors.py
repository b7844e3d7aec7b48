"""What can go wrong while servers and processes are being kept alive."""

from mailer.core.errors import MailerError


class ServerFailed(MailerError):
    """A private server did not come up; `server` names it and `log` the file that says why."""

    code = "server_failed"
    status = 503


class AlreadyRunning(MailerError):
    """Another `mailer run` holds this data folder; `folder` names it and `pid` the process."""

    code = "already_running"
    status = 409


class PortTaken(MailerError):
    """Something else listens on the port that PORT asks for."""

    code = "port_taken"
    status = 409
