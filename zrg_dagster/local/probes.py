"""Readiness questions to our own processes. Each answers None when ready, else what is missing, in a few words."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable

import psycopg

from zrg_dagster.core.db.engine import libpq_dsn

Probe = Callable[[], str | None]
_TIMEOUT_S = 2.0
_LOCATIONS = """{ workspaceOrError { __typename ... on Workspace { locationEntries {
    name loadStatus locationOrLoadError { __typename ... on PythonError { message } } } } } }"""


class Broken(RuntimeError):
    """It answers, and the answer is an error that waiting does not cure. One line."""


def http_ok(url: str, timeout_s: float = _TIMEOUT_S) -> str | None:
    """Ready when `url` answers 200. Proxies of the environment are ignored: this is our own machine."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            return None if answer.status == 200 else f"{url} answers {answer.status}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{url} answers {error.code}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return f"{url}: {reason}"


def location_loaded(url: str, timeout_s: float = 5.0) -> str | None:
    """Ready when the UI at `url` has loaded every code location; `Broken` when one could not be loaded.

    A code server reports SERVING even if the UI and the daemon cannot read its definitions.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = json.dumps({"query": _LOCATIONS}).encode()
    question = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310 - http
    try:
        with opener.open(question, timeout=timeout_s) as answer:
            entries = json.load(answer)["data"]["workspaceOrError"]["locationEntries"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{url}/graphql: {error}"
    if not entries:
        return "the UI knows no code location yet"
    for entry in entries:
        result = entry["locationOrLoadError"]
        if entry["loadStatus"] != "LOADED" or result is None:
            return f"code location {entry['name']} is loading"
        if result["__typename"] == "PythonError":
            lines = [line.strip() for line in result["message"].splitlines() if line.strip()]
            raise Broken(f"code location {entry['name']} does not load: {lines[0] if lines else 'no message'}")
    return None


def code_server_serving(host: str, port: int, timeout_s: float = _TIMEOUT_S) -> str | None:
    """Ready when Dagster's gRPC server reports SERVING, which it does once the definitions are loaded."""
    import grpc
    from grpc_health.v1 import health_pb2

    channel = grpc.insecure_channel(f"{host}:{port}", options=[("grpc.enable_http_proxy", 0)])
    try:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        answer = check(health_pb2.HealthCheckRequest(service="DagsterApi"), timeout=timeout_s)
    except grpc.RpcError as error:
        code = error.code() if isinstance(error, grpc.Call) else None
        return f"gRPC {host}:{port}: {code.name.lower() if code else error}"
    finally:
        channel.close()
    serving = answer.status == health_pb2.HealthCheckResponse.SERVING
    return None if serving else f"gRPC {host}:{port} does not serve yet"


def daemon_heartbeat(dsn: str, since: float) -> str | None:
    """Ready when every Dagster daemon of the instance that ever beat has beaten after `since` (Unix seconds)."""
    try:
        with psycopg.connect(libpq_dsn(dsn), connect_timeout=2, autocommit=True) as connection:
            row = connection.execute(
                "SELECT count(*), count(*) FILTER (WHERE timestamp >= to_timestamp(%s) AT TIME ZONE 'UTC')"
                " FROM daemon_heartbeats",
                (since,),
            ).fetchone()
    except psycopg.errors.UndefinedTable:
        return "no Dagster storage yet"
    except psycopg.Error as error:
        return f"Dagster database: {' '.join(str(error).split())}"
    total, fresh = row or (0, 0)
    return None if fresh else f"no heartbeat of {total or 'any'} daemons yet"


def port_is_free(host: str, port: int) -> bool:
    """True when we could listen there now. No SO_REUSEPORT: two servers would silently share the traffic."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on right now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
