"""`python -m hippocam`: the command `hippocam`, where it is not on the path."""

import sys

from hippocam.apps.cli.main import main

sys.exit(main())
