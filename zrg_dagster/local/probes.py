"""Readiness questions to our own processes. Each answers None when ready, else what is missing, in a few words."""

import socket
import urllib.error
import urllib.request
from collections.abc import Callable

import psycopg

from zrg_dagster.core.db.engine import libpq_dsn

Probe = Callable[[], str | None]
_TIMEOUT_S = 2.0


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
