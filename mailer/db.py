"""The model base, constraint names, and the marks on personal columns."""

from datetime import datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, registry

NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


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
