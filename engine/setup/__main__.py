"""`python3 -m engine.setup`. This file stays readable to old Pythons, so that they can say that they are too old."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 the one file that an older Python gets to run
    sys.exit(
        "Python 3.11 or newer is needed; %s is %d.%d. Name another one: make setup PYTHON=python3.12"  # noqa: UP031
        % (sys.executable, sys.version_info[0], sys.version_info[1])
    )

from engine.setup.run import main

sys.exit(main())
