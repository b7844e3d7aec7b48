"""What can go wrong while a backup is made, looked at or put back."""

from mailer.core.errors import MailerError


class BackupFailed(MailerError):
    """`why` says in words what stopped it; nothing half-made is left."""

    code = "backup_failed"
    status = 503
