"""What a WSGI server loads."""

from mailer.app import create_app
from mailer.settings import Settings
from workers.jobs import DramatiqJobs

app = create_app(Settings.from_env(), jobs=DramatiqJobs())
