"""Write Janus's configuration from the environment, then become Janus."""

import os
from pathlib import Path

from config.supervisor.janus import write_configuration

command = write_configuration(Path("/run/janus"), os.environ)
os.execv(command[0], command)  # noqa: S606  (no shell: that is the point)
