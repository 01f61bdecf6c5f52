"""Door columns and pseudonyms that several tables share: how a supply names a person, a document, a sponsor."""

from __future__ import annotations

from records.schema import Column, Personal, Place, Pseudonym, Tier, Type

UNIFIED_NUMBER = Column(
    "unified_number",
    Type.STRING,
    "The person's unified number, where one was given",
    personal=Personal.IDENTITY,
    place=Place.DOOR,
)
DOCUMENT_NUMBER = Column(
    "document_number",
    Type.STRING,
    "Number printed on the travel document",
    personal=Personal.IDENTITY,
    place=Place.DOOR,
)
DOCUMENT_ISSUER = Column(
    "document_issuer",
    Type.STRING,
    "Country or body that issued the travel document (stands for nationality)",
    tier=Tier.PROHIBITED,
    personal=Personal.IDENTITY,
    place=Place.VAULT,
)
IDENTIFIERS = (UNIFIED_NUMBER, DOCUMENT_NUMBER, DOCUMENT_ISSUER)

PERSON = Pseudonym("person", (("unified_number",), ("document_issuer", "document_number")))
SUBJECT = Column(
    "subject",
    Type.STRING,
    "Keyed pseudonym of the person, by unified number or else by travel document",
    required=True,
    personal=Personal.PSEUDONYM,
    pseudonym=PERSON,
)
DOCUMENT = Column(
    "document",
    Type.STRING,
    "Keyed pseudonym of the travel document",
    personal=Personal.PSEUDONYM,
    pseudonym=Pseudonym("document", (("document_issuer", "document_number"),)),
)
OFFICER_NUMBER = Column(
    "officer_number", Type.STRING, "Service number of the officer", personal=Personal.IDENTITY, place=Place.DOOR
)
OFFICER = Column(
    "officer",
    Type.STRING,
    "Keyed pseudonym of the officer",
    personal=Personal.PSEUDONYM,
    pseudonym=Pseudonym("officer", (("officer_number",),)),
)
SPONSOR_NUMBER = Column(
    "sponsor_number", Type.STRING, "Registration number of the sponsor", personal=Personal.IDENTITY, place=Place.DOOR
)
SPONSOR = Column(
    "sponsor",
    Type.STRING,
    "Keyed pseudonym of the sponsor of a permit",
    personal=Personal.PSEUDONYM,
    pseudonym=Pseudonym("sponsor", (("sponsor_number",),)),
)
