# Sourced by .venv/bin/activate, so that `pulumi` by hand finds this project's engine, state and passphrase.
# POSIX sh. What is set, and when, is decided in environment.py alone.
eval "$("$VIRTUAL_ENV/bin/python" -I "$VIRTUAL_ENV/../engine/environment.py")"
