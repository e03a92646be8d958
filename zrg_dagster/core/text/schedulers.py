"""Booking pages of known schedulers (SI-08, BK-66), and when two links name the same page (SI-05). Pure; no look-ups."""

import re

# Hosts that hold nothing but booking pages, with everything below them. A host alone names nobody's calendar: the
# vendor's front page is no signal.
_HOSTS = {
    "calendly.com": "calendly",
    "cal.com": "cal.com",
    "savvycal.com": "savvycal",
    "tidycal.com": "tidycal",
    "calendar.app.google": "google",
    "book.ms": "outlook",
    "bookings.cloud.microsoft": "outlook",
    "meetings.hubspot.com": "hubspot",
    "calendar.notion.so": "notion",
    "calendar.notion.com": "notion",
    "msgsndr.com": "leadconnector",
    "leadconnectorhq.com": "leadconnector",
    "acuityscheduling.com": "acuity",
    "as.me": "acuity",
    "youcanbook.me": "youcanbookme",
    "chilipiper.com": "chilipiper",
    "oncehub.com": "oncehub",
    "zcal.co": "zcal",
    "appointlet.com": "appointlet",
    "meetergo.com": "meetergo",
    "koalendar.com": "koalendar",
    "lemcal.com": "lemcal",
    "setmore.com": "setmore",
    "zohobookings.com": "zoho",
}
# These name the person in the host (`mara.youcanbook.me`), so they need no path.
_OWN_HOSTS = frozenset({"as.me", "youcanbook.me", "zohobookings.com"})
# The vendors' own affairs, and what an invitation carries about a meeting that is booked already.
_NO_PAGES = re.compile(
    r"(?:api|app|help|support|docs|status|blog|assets|developer)\.[^/]+/"
    r"|(?:.+\.)?calendly\.com/(?:cancellations|reschedulings|events)/|(?:.+\.)?cal\.com/(?:booking|reschedule)/"
)
# Hosts that hold other things too: the path says whether it is a booking page.
_PATHS = (
    (re.compile(r"(?:.+\.)?hubspot\.com"), re.compile(r"/meetings/."), "hubspot"),
    (re.compile(r"meetings-[a-z0-9]+\.hubspot\.com"), re.compile(r"/."), "hubspot"),
    (re.compile(r"calendar\.google\.com"), re.compile(r"/calendar/(?:u/\d+/)?(?:r/)?appointments/"), "google"),
    (
        re.compile(r"outlook\.(?:office|office365|live)\.com|outlook\.cloud\.microsoft"),
        re.compile(r"/bookwithme/|/book/|/owa/calendar/[^/]+/bookings"),
        "outlook",
    ),
    (re.compile(r"app\.reclaim\.ai"), re.compile(r"/m/."), "reclaim"),
    (re.compile(r"app\.usemotion\.com"), re.compile(r"/meet/."), "motion"),
    (re.compile(r"doodle\.com"), re.compile(r"/(?:bp|mm)/."), "doodle"),
    # LeadConnector's pages live on their customers' own domains.
    (re.compile(r".+"), re.compile(r"/widget/bookings?/."), "leadconnector"),
)


def page_of(link: str) -> tuple[str, str]:
    """Host and path of a link as they are compared: lower case, without `www.`, query, fragment and last slash."""
    _, scheme, rest = link.strip().partition("://")
    rest = re.split(r"[?#]", rest if scheme else link.strip(), maxsplit=1)[0].lower()
    host, _, path = rest.partition("/")
    return host.removeprefix("www.").partition(":")[0], f"/{path}".rstrip("/")


def same_page(link: str, other: str | None) -> bool:
    """Whether two links lead to the same booking page, whatever query, case or last slash they carry."""
    return bool(other) and page_of(link) == page_of(other or "")


def scheduler_of(link: str) -> str | None:
    """The scheduler whose booking page this is, with or without a scheme; None for any other link."""
    host, path = page_of(link)
    whole = f"{path}/"
    for hosts, paths, name in _PATHS:
        if hosts.fullmatch(host) and paths.search(whole):
            return name
    if _NO_PAGES.match(f"{host}{whole}"):
        return None
    for known, name in _HOSTS.items():
        if (host == known and path) or (host.endswith(f".{known}") and (path or known in _OWN_HOSTS)):
            return name
    return None
