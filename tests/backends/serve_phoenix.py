"""`phoenix serve` on loopback alone.

Phoenix takes a host for its HTTP port, and binds its gRPC port to every address.
No setting changes that, so the address is changed on its way to the server.
"""

import sys

import grpc
from phoenix.server.main import main

EVERYWHERE = "[::]:"
make_server = grpc.aio.server


def make_server_on_loopback(*args, **kwargs):
    server = make_server(*args, **kwargs)
    bind = server.add_insecure_port

    def bind_on_loopback(address):
        if not address.startswith(EVERYWHERE):
            raise SystemExit(f"Phoenix binds gRPC to {address}, not to {EVERYWHERE}; see serve_phoenix.py")
        return bind(address.replace(EVERYWHERE, "127.0.0.1:", 1))

    server.add_insecure_port = bind_on_loopback
    return server


grpc.aio.server = make_server_on_loopback
# What a person would type.
sys.argv = ["phoenix", "serve"]
sys.exit(main())
