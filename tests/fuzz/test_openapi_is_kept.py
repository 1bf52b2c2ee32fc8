"""What /openapi.json describes is what the server does, for requests made up from the description itself."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fixtures.server import LiveServer, caller_in_new_sandbox
from thumbturn.api.openapi import openapi
from thumbturn.api.table import endpoints

DESCRIBED = schemathesis.openapi.from_dict(openapi(endpoints()))
#: Whether a request that fits the schema must be accepted is not asked: rules that concern several
#: parameters at once are not in it.
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
OPERATIONS = [found.ok() for found in DESCRIBED.get_all_operations()]
#: These take nothing that could be wrong.
WITHOUT_PARAMETERS = {"/health", "/thumbturn/ready"}
#: This does not end, and would be waited for: its frames are held against the document in tests/wire/.
ENDLESS = {"/thumbturn/stream"}
TRIED = [
    (operation, mode)
    for operation in OPERATIONS
    for mode in GenerationMode
    if operation.path not in ENDLESS
    and (mode is GenerationMode.POSITIVE or operation.path not in WITHOUT_PARAMETERS)
]


@pytest.fixture(scope="module")
def authorized(server: LiveServer) -> dict[str, str]:
    headers = caller_in_new_sandbox(server, "described").http.headers
    return {name: headers[name] for name in ("authorization", "seam-workspace")}


@pytest.mark.parametrize(
    ("operation", "mode"), TRIED, ids=[f"{mode.value}-{operation.label}" for operation, mode in TRIED]
)
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_answers_are_as_described(operation, mode, server, authorized, data):
    """Every answer has a described status, type and body, whether the request was right or wrong."""
    case = data.draw(operation.as_strategy(generation_mode=mode))
    case.call_and_validate(base_url=server.endpoint, headers=authorized, checks=CHECKS)
