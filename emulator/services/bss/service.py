"""BSS, of which nothing is emulated: every operation is refused by its name.

The Go provider asks it for the account's type, unless its argument `account_type` says it.
"""

from emulator.operations import Product

bss = Product("bss", "2017-12-14", "RPC")
