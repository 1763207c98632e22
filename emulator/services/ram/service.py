"""The product to which RAM's operations are registered. Its addresses have no region: it is the same in all."""

from emulator.operations import Product

ram = Product("ram", "2015-05-01", "RPC", registered_by="emulator.services.ram.operations")
