"""`make setup`: a virtualenv, a Pulumi engine, and a shell environment that knows both.

Runs on a bare Python, before anything is installed, so it uses the standard library only. Every stage compares a digest
of what it is made from with what is there, and puts its result in place with one rename: it can be cut off anywhere
and run again.
"""
