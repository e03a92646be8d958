"""Who a delivery is about, and which claim about a person wins: order must never matter."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.intake.identity import resolve
from zrg_dagster.core.leads.fields import MESSAGE_HEADER, best, claims_of, merge
from zrg_dagster.core.providers.records import LeadRecord

WORKSPACE = new_id()
NOW = datetime(2026, 3, 10, tzinfo=UTC)


def lead(*identities, **fields):
    return LeadRecord(identities=identities, **fields)


def test_the_first_identity_that_hits_decides():
    """LM-02, LM-03: a CRM contact id wins over an address that belongs to somebody else."""
    by_contact, by_mail = new_id(), new_id()
    known = {(WORKSPACE, "ghl_contact", "c1"): by_contact, (WORKSPACE, "email", "a@b.example"): by_mail}
    found = resolve([(0, WORKSPACE, lead(("ghl_contact", "c1"), ("email", "a@b.example")), True)], known)
    assert found.lead_of == {0: by_contact}
    low, high = sorted((by_contact, by_mail))
    assert found.candidates == {(WORKSPACE, low, high, "email")}
    assert found.new_identities == {}


def test_an_alternate_address_finds_its_lead_and_the_other_way_round():
    known_lead = new_id()
    known = {(WORKSPACE, "alternate_email", "colleague@b.example"): known_lead}
    found = resolve([(0, WORKSPACE, lead(("email", "colleague@b.example")), True)], known)
    assert found.lead_of == {0: known_lead}


def test_two_deliveries_of_a_new_person_in_one_batch_make_one_lead():
    records = [
        (0, WORKSPACE, lead(("emailbison_lead", "7"), ("email", "a@b.example")), True),
        (1, WORKSPACE, lead(("email", "a@b.example"), ("phone", "+12015550100")), True),
    ]
    found = resolve(records, {})
    assert len(found.new_leads) == 1
    assert found.lead_of[0] == found.lead_of[1]
    assert len(found.new_identities) == 3


def test_workspaces_never_share_a_lead():
    other = new_id()
    records = [(0, WORKSPACE, lead(("email", "a@b.example")), True), (1, other, lead(("email", "a@b.example")), True)]
    found = resolve(records, {})
    assert found.lead_of[0] != found.lead_of[1]


def test_a_booking_by_a_stranger_makes_no_lead():
    found = resolve([(0, WORKSPACE, lead(("email", "new@b.example")), False)], {})
    assert (found.lead_of, found.new_leads) == ({}, {})


def test_a_colleagues_address_alone_makes_no_lead():
    found = resolve([(0, WORKSPACE, LeadRecord(alternate_emails=("cc@b.example",)), True)], {})
    assert found.new_leads == {}


records = st.lists(
    st.tuples(
        st.sampled_from(["Mara", "Mar", "M"]),
        st.integers(0, 5),
        st.sampled_from([1, MESSAGE_HEADER]),
    ),
    min_size=1,
    max_size=6,
)


@given(records, st.randoms())
@settings(max_examples=100)
def test_the_winning_claim_does_not_depend_on_arrival(claims, random):
    made = [
        claims_of(LeadRecord(first_name=name), at=NOW + timedelta(days=day), source="t", rank=rank)
        for name, day, rank in claims
    ]

    def arrive(order):
        stored, provenance = {}, {}
        for each in order:
            for field, claim in merge(stored, provenance, each).items():
                stored[field], provenance[field] = claim.value, claim.as_json()
        return stored

    shuffled = made[:]
    random.shuffle(shuffled)
    assert arrive(made) == arrive(shuffled) == {"first_name": best(made)["first_name"].value}


def test_what_a_person_typed_is_never_overwritten():
    claims = claims_of(LeadRecord(first_name="Vendor"), at=NOW, source="t")
    assert merge({"first_name": "Typed"}, {}, claims) == {}
