"""What a webhook's process has loaded and made once it has taken its first message.

Here, unlike on Lambda, everything that is installed and the repository itself could be imported.
"""

import importlib
import json
import os
import sys
from typing import Any

import botocore.client

from tests.bench.programs import child

made: list[str] = []
create = botocore.client.ClientCreator.create_client


def create_client(self: Any, service_name: str, *arguments: Any, **named: Any) -> Any:
    made.append(service_name)
    return create(self, service_name, *arguments, **named)


botocore.client.ClientCreator.create_client = create_client
sys.path += os.environ["BENCH_REACHABLE"].split(os.pathsep)

function = importlib.import_module("handler")  # the function's own, from its folder
child.set_clock(child.OPEN)
answer = function.handler(child.event(), child.LambdaContext())
found = {"status": answer["statusCode"], "modules": sorted(sys.modules), "clients": made}
os.write(2, json.dumps(found).encode())
