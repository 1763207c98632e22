"""As many resources as the stack's configuration says."""

import pulumi

from bench.trivial.nothing import Nothing

for number in range(pulumi.Config().require_int("resources")):
    Nothing(f"nothing-{number}", number)
