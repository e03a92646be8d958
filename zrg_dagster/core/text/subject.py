"""Subjects of mail."""


def reply_subject(subject: str | None) -> str | None:
    """`Re: ` before a subject that has none yet, white space folded; None for no subject (the thread has none)."""
    subject = " ".join((subject or "").split())
    if not subject:
        return None
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"
