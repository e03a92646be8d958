"""A local stand-in for the vendor APIs, for the demo and the tests.

`python -m provider_sandbox --host 127.0.0.1 --port 8090` serves, on loopback only:

| prefix | imitates | credential accepted by default |
|---|---|---|
| /emailbison/api/... | EmailBison, API and its own webhooks | `Authorization: Bearer sandbox-emailbison-key` |
| /ghl/... | GoHighLevel conversations, contacts, calendars | `Authorization: Bearer sandbox-ghl-token` + `Version` |
| /calendly/... | Calendly API v2 and the public booking pages | `Authorization: Bearer sandbox-calendly-token` |
| /slack/api/... | Slack Web API, response URLs, incoming webhooks | `Authorization: Bearer xoxb-sandbox` |
| /openai/v1/... | OpenAI Responses API (an imitation of a model) | `Authorization: Bearer sk-sandbox` |
| /clay/v3/sources/webhook/TABLE | Clay's enrichment tables and their answers | none, or `x-clay-webhook-auth` by option |
| /resend/... | Resend, mails and their Svix-signed events | `Authorization: Bearer re_sandbox` |
| /_control/... | our own control plane: faults, recordings, clock, webhooks | none |

It knows only the wire: it imports nothing of the product, so a mistake in a client cannot be repeated here by a
shared type. State lives in memory, bounded, and ends with the process.
"""
