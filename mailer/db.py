"""The model base, constraint names, the marks on personal columns, and arrays as PostgreSQL takes them fastest."""

import struct
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import psycopg
from flask_sqlalchemy import SQLAlchemy
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import BigInteger, DateTime, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, registry

NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
INT8, BYTEA = 20, 17
"""Type numbers of array elements (pg_type.oid)."""


class Model(DeclarativeBase):
    """Base of every table."""

    # On the registry, not the class: Flask-SQLAlchemy 3.1 copies the class body and SQLAlchemy
    # then refuses a type_annotation_map beside a registry.
    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={datetime: DateTime(timezone=True), bytes: LargeBinary, int: BigInteger, str: Text},
    )


# Flask-SQLAlchemy brings the engine and its settings; models are plain SQLAlchemy on the same metadata, which the
# type checker understands and which needs no application context.
db = SQLAlchemy(model_class=Model)


def personal(kind: str, *, erase: str) -> dict[str, Any]:
    """Mark a column as personal data: what it is, and how erasure treats it."""
    return {"personal": kind, "erase": erase}


class Ids(list[int]):
    """Ids on their way to the database as one bigint[]: packed once, however many statements name them."""

    _packed: bytes | None = None

    @classmethod
    def of(cls, ids: Iterable[int]) -> "Ids":
        """These ids, packed at most once."""
        return ids if isinstance(ids, Ids) else cls(ids)

    @property
    def packed(self) -> bytes:
        """PostgreSQL's binary form of the array (8 octets an element)."""
        if self._packed is None:
            elements = [8] * (2 * len(self))
            elements[1::2] = self
            self._packed = _array_head(INT8, len(self)) + struct.pack(f"!{'iq' * len(self)}", *elements)
        return self._packed


class Octets(list[bytes]):
    """Values on their way to the database as one bytea[]."""

    @property
    def packed(self) -> bytes:
        """PostgreSQL's binary form of the array."""
        return _array_head(BYTEA, len(self)) + b"".join(
            [part for each in self for part in (len(each).to_bytes(4, "big"), each)])


def _array_head(element: int, length: int) -> bytes:
    return struct.pack("!5i", 1, 0, element, length, 1) if length else struct.pack("!3i", 0, 0, element)


class _Packed(Dumper):
    format = Format.BINARY

    def dump(self, obj: Ids | Octets) -> bytes:
        return obj.packed


class _IdsDumper(_Packed):
    oid = 1016


class _OctetsDumper(_Packed):
    oid = 1001


psycopg.adapters.register_dumper(Ids, _IdsDumper)
psycopg.adapters.register_dumper(Octets, _OctetsDumper)
