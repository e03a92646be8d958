"""What the database holds once a file is applied. Pure: the file, what is there now, and the secrets go in."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import SecretStr

from zrg_dagster.core.ai.overrides import prompt_keys
from zrg_dagster.core.workspaces import tables
from zrg_dagster.core.workspaces.declare import SettingsPart, WorkspaceFile
from zrg_dagster.core.workspaces.declared_integrations import EmailBisonPart
from zrg_dagster.core.workspaces.personas import SETTINGS as MIRRORED
from zrg_dagster.core.workspaces.sealing import CREDENTIALS, UNREADABLE, VERIFIERS
from zrg_dagster.core.workspaces.tables import Row, Rows, State

WORKSPACE, USER = "workspace", "user"
# Settings that are lists of people: rows of their own, not columns.
PEOPLE = {"slack_recipients", "round_robin_sequence"}
NO_URIS: Row = {"user_uri": None, "organization_uri": None, "webhook_subscription_uri": None}


@dataclass(frozen=True, slots=True)
class Current:
    """What the database holds. `workspace_id` is None for a workspace that does not exist yet."""

    workspace_id: UUID | None
    state: State = field(repr=False)
    email_hosts: frozenset[str] = frozenset()


def build_wanted(file: WorkspaceFile, current: Current, secrets: Mapping[str, SecretStr]) -> tuple[State, list[str]]:
    """The state after applying `file`, and the problems that only the database's content shows."""
    builder = _Builder(file, current, secrets)
    builder.people()
    builder.settings()
    builder.personas()
    builder.integrations()
    builder.lists()
    return builder.state, builder.problems


class _Builder:
    def __init__(self, file: WorkspaceFile, current: Current, secrets: Mapping[str, SecretStr]) -> None:
        self.file = file
        self.now = current.state
        self.email_hosts = current.email_hosts
        self.secrets = secrets
        self.state: State = {name: dict(rows) for name, rows in current.state.items()}
        self.problems: list[str] = []

    def people(self) -> None:
        part = self.file.workspace
        old = self.now[WORKSPACE].get(())
        row = dict(old) if old else part.model_dump(exclude={"key"})
        row |= part.model_dump(include=part.model_fields_set - {"key"})
        self.state[WORKSPACE] = {(): row}
        users = self.state[USER]
        for index, member in enumerate(self.file.members):
            user = users.setdefault((member.email,), {"email": member.email, "name": "", "slack_user_id": None})
            said = {"name": member.name or user["name"]}
            if "slack_user" in member.model_fields_set:
                said["slack_user_id"] = member.slack_user
            earlier = next((each for each in self.file.members[:index] if each.email == member.email), None)
            if earlier and {**user, **said} != user:
                message = "this person stands here twice with another name or slack_user; say it once"
                self.problems.append(self.file.problem(("members", index), message))
            users[(member.email,)] = {**user, **said}
        if row["owner"]:
            users.setdefault((row["owner"],), {"email": row["owner"], "name": "", "slack_user_id": None})
        if "members" in self.file.model_fields_set:
            given = ({"email": each.email, "role": each.role} for each in self.file.members)
            self.state["member"] = {tables.MEMBER.key_of(each): each for each in given}

    def settings(self) -> None:
        old = self.now["setting"].get(())
        row = dict(old) if old else SettingsPart().model_dump(exclude=PEOPLE)
        row |= self.file.settings.model_dump(include=self.file.settings.model_fields_set - PEOPLE)
        self.state["setting"] = {(): row}
        if "round_robin_sequence" in self.file.settings.model_fields_set:
            self._turns()
        if "slack_recipients" in self.file.settings.model_fields_set:
            self._refuse_unreachable()
            self.state["recipient"] = {
                (address,): {"email": address} for address in self.file.settings.slack_recipients
            }
        else:
            # Who leaves the workspace gets no more cards about its leads.
            people = self._people()
            kept = {key: row for key, row in self.now["recipient"].items() if row["email"] in people}
            self.state["recipient"] = kept

    def _turns(self) -> None:
        """AS-A4: whoever takes turns is a setter. A list that the file does not touch may fall behind the members."""
        people = self.file.settings.round_robin_sequence
        self.state["turn"] = {
            (position,): {"position": position, "email": address} for position, address in enumerate(people, start=1)
        }
        setters = {email for email, role in self.state["member"] if role == "SETTER"}
        for index, address in enumerate(people):
            if address not in setters:
                message = f"{address} is no setter of this workspace; add the role SETTER under members"
                self.problems.append(self.file.problem(("settings", "round_robin_sequence", index), message))

    def _people(self) -> set[str]:
        owner = self.state[WORKSPACE][()]["owner"]
        return {email for email, _ in self.state["member"]} | ({owner} if owner else set())

    def _refuse_unreachable(self) -> None:
        """An unknown address is named, and so is a person whom no card can reach."""
        people = self._people()
        for index, address in enumerate(self.file.settings.slack_recipients):
            user = self.state[USER].get((address,))
            if address in people and user and user["slack_user_id"]:
                continue
            message = (
                f"{address} has no Slack user; give the member a slack_user"
                if address in people
                else f"unknown address {address}; add it to members with a slack_user"
            )
            self.problems.append(self.file.problem(("settings", "slack_recipients", index), message))

    def personas(self) -> None:
        """What `apply_personas` will do: rows by name without regard to case, at most one default, settings mirrored."""
        rows = self.state["persona"]
        for part in self.file.personas:
            handle = part.name.lower()
            was_default = rows[(handle,)]["is_default"] if (handle,) in rows else False
            rows[(handle,)] = {"handle": handle, **part.model_dump(), "is_default": was_default}
        named = [part.name.lower() for part in self.file.personas if part.is_default]
        if not named and self.file.personas and not any(row["is_default"] for row in rows.values()):
            named = [self.file.personas[0].name.lower()]
        for handle in named[:1]:
            for key, row in rows.items():
                rows[key] = {**row, "is_default": key == (handle,)}
        default = next((row for row in rows.values() if row["is_default"]), None)
        if default is not None:
            self._mirror(default)

    def _mirror(self, default: Row) -> None:
        """PE-08, PE-14: the settings say what the default persona says, and nobody writes beside it."""
        row = self.state["setting"][()]
        for name, column in MIRRORED.items():
            if column in self.file.settings.model_fields_set and row[column].strip() != default[name]:
                message = f"the default persona {default['name']!r} decides this; write it there as {name}"
                self.problems.append(self.file.problem(("settings", column), message))
            row[column] = default[name]

    def _persona_named(self, name: str | None, path: tuple[str | int, ...]) -> str | None:
        row = self.state["persona"].get((name.strip().lower(),)) if name else None
        if name and row is None:
            # The seed's words (seed 000).
            self.problems.append(self.file.problem((*path, "persona"), "Invalid persona for this workspace"))
        return row["name"] if row else None

    def integrations(self) -> None:
        parts = self.file.integrations
        for provider in sorted(parts.model_fields_set & {*CREDENTIALS, *VERIFIERS}):
            part = getattr(parts, provider)
            if part is None:
                self._disconnect(provider)
                continue
            old = self.now["integration"].get((provider,), {})
            row: Row = {"provider": provider, "base_url": None, "external_id": None, "from_email": None}
            row |= {"phone_table_url": None, "linkedin_table_url": None, **NO_URIS}
            row |= {name: old[name] for name in NO_URIS if name in old} | {"is_active": True}
            if provider == "emailbison":
                row |= {"base_url": part.base_url, "external_id": part.external_id}
                self._check_host(part)
            elif provider == "ghl":
                row["external_id"] = part.location_id
            elif provider == "unipile":
                row["external_id"] = part.account_id
            elif provider == "resend":
                row["from_email"] = part.from_email
            elif provider == "clay":
                row |= {"phone_table_url": part.phone_table, "linkedin_table_url": part.linkedin_table}
            elif provider == "crm":
                row["base_url"] = part.url
                self._check_crm_events()
            self.state["integration"][(provider,)] = row
            if provider in CREDENTIALS:
                self._credential(provider)
            if provider in VERIFIERS:
                self._routes(provider, part)

    def _disconnect(self, provider: str) -> None:
        """Seed 003 §4 (E5): what was derived from the token goes with it."""
        old = self.now["integration"].get((provider,))
        if old is None:
            return
        self.state["integration"][(provider,)] = {**old, **NO_URIS, "is_active": False}
        self.state["credential"].pop((CREDENTIALS.get(provider),), None)
        self.state["route"] = _without(self.state["route"], provider)

    def _check_host(self, part: EmailBisonPart) -> None:
        parts = urlsplit(part.base_url)
        if parts.netloc.lower() in self.email_hosts or _is_loopback(parts.hostname or ""):
            return
        message = (
            f"host {parts.netloc} is not allowed; an operator allows it with `zrg workspace host add {parts.netloc}`"
        )
        self.problems.append(self.file.problem(("integrations", "emailbison", "base_url"), message))

    def _check_crm_events(self) -> None:
        """CO-03: who is told nothing is not connected."""
        if not self.state["setting"][()]["crm_webhook_events"]:
            message = "settings.crm_webhook_events is empty; add lead_created, crm_row_updated or both"
            self.problems.append(self.file.problem(("integrations", "crm"), message))

    def _credential(self, provider: str) -> None:
        name = CREDENTIALS[provider]
        value = self.secrets.get(name)
        if value is not None:
            self.state["credential"][(name,)] = {"name": name, "value": value}
        # Slack and Unipile fall back to what the process has, and few of Clay's tables ask for a token; all else needs its own.
        elif (name,) not in self.now["credential"] and provider not in ("slack", "unipile", "clay"):
            key = {"ghl": "token", "calendly": "token", "crm": "secret"}.get(provider, "api_key")
            message = f"no {name} is stored yet; add {key}: env:NAME or file:PATH"
            self.problems.append(self.file.problem(("integrations", provider, key), message))

    def _routes(self, provider: str, part: Any) -> None:
        name = VERIFIERS[provider]
        old = [row for row in self.now["route"].values() if row["provider"] == provider]
        readable = (row["value"] for row in old if row["value"] not in (None, UNREADABLE))
        value = self.secrets.get(name) or next(readable, None)
        if value is None and provider in ("resend", "calendly") and not old:
            # Resend sends; hearing what became of the mail is optional. Calendly's key comes with its subscription.
            return
        if value is None:
            what = "the stored one cannot be opened with the keys of this process" if old else "none is stored yet"
            key = "signing_key" if provider == "calendly" else "webhook_secret"
            message = f"{what}; add {key}: env:NAME or file:PATH"
            self.problems.append(self.file.problem(("integrations", provider, key), message))
            return
        hosts: list[str] = []
        if isinstance(part, EmailBisonPart):
            hosts = list(part.allowed_hosts) or [urlsplit(part.base_url).netloc.lower()]
        routes = routes_of(provider, self.file.workspace.key, self.state["integration"][(provider,)], hosts, value)
        self.state["route"] = {**_without(self.state["route"], provider), **routes}

    def lists(self) -> None:
        file = self.file
        campaigns = [
            {**each.model_dump(), "persona": self._persona_named(each.persona, ("campaigns", index))}
            for index, each in enumerate(file.campaigns)
        ]
        self._list("campaign", "campaigns", campaigns)
        known = {label.lower(): label for (label,) in self.now["sms_campaign"]}
        labels = (known.get(label.lower(), label) for label in file.sms_campaigns)
        self._list("sms_campaign", "sms_campaigns", ({"label": label} for label in labels))
        self._list("ghl_campaign", "ghl_campaigns", (each.model_dump() for each in file.ghl_campaigns))
        calendars = ({**each.model_dump(), "is_active": True} for each in file.calendars)
        self._list("calendar", "calendars", calendars)
        sequences = [
            {**each.model_dump(exclude={"steps"}), "persona": self._persona_named(each.persona, ("sequences", index))}
            for index, each in enumerate(file.sequences)
        ]
        self._list("sequence", "sequences", sequences)
        self._steps()
        knowledge = (
            {"title": each.title, "body": each.text, "position": index}
            for index, each in enumerate(file.knowledge, start=1)
        )
        self._list("knowledge", "knowledge", knowledge)
        questions = (
            {"position": index, "question": each.question, "is_required": each.required}
            for index, each in enumerate(file.qualification_questions, start=1)
        )
        self._list("question", "qualification_questions", questions)
        # What we have no prompt for any more says nothing, and cannot be written again.
        gone = {key: row for key, row in self.now["prompt"].items() if row["key"] not in prompt_keys()}
        self._list("prompt", "prompts", (each.row for each in file.prompts))
        self.state["prompt"] |= gone

    def _steps(self) -> None:
        named = {each.name for each in self.file.sequences}
        steps = {key: row for key, row in self.state["step"].items() if row["sequence"] not in named}
        for sequence in self.file.sequences:
            for step in sequence.steps:
                row = step.model_dump(exclude={"order", "message"})
                row |= {"sequence": sequence.name, "step_order": step.order, "message_template": step.message}
                steps[tables.STEP.key_of(row)] = row
        self.state["step"] = steps

    def _list(self, name: str, key: str, given: Iterable[Row]) -> None:
        """Put the rows of a list in place; what a given list lacks goes as its section says."""
        if key not in self.file.model_fields_set:
            return
        section = next(each for each in tables.SECTIONS if each.name == name)
        rows: Rows = {section.key_of(row): row for row in given}
        if section.absent == "keep":
            self.state[name].update(rows)
        elif section.absent == "switch_off":
            rest = {key: {**row, "is_active": False} for key, row in self.state[name].items() if key not in rows}
            self.state[name] = {**rest, **rows}
        else:
            self.state[name] = rows


def routes_of(provider: str, workspace_key: str, integration: Row, hosts: Iterable[str], value: SecretStr) -> Rows:
    """The rows of `raw.route` of one integration: under which ids its deliveries find the workspace."""
    hosts = list(hosts)
    external_id = integration["external_id"]
    keys: Mapping[str, Callable[[], list[str]]] = {
        "emailbison": lambda: [workspace_key, *(f"{host}|{external_id}" for host in hosts)],
        "smartlead": lambda: [workspace_key],
        "instantly": lambda: [workspace_key],
        "ghl": lambda: [external_id],
        "calendly": lambda: [workspace_key],
        "resend": lambda: [workspace_key],
        "unipile": lambda: [external_id],
        "clay": lambda: [workspace_key],
    }
    rows = (
        {
            "provider": provider,
            "routing_key": key,
            "workspace_key": workspace_key,
            "allowed_hosts": hosts,
            "value": value,
            "is_active": True,
        }
        for key in dict.fromkeys(keys[provider]())
    )
    return {tables.ROUTE.key_of(row): row for row in rows}


def _without(routes: Rows, provider: str) -> Rows:
    return {key: row for key, row in routes.items() if row["provider"] != provider}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
