"""`python -m flipcards`: the command, where it is not on the path."""

import sys

from flipcards.cli import main

sys.exit(main())
