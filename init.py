"""Shared extensions. The rest of the code imports from here; this imports none of it."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_bcrypt import Bcrypt
from flask_jwt_extended import JWTManager
from flask_migrate import Migrate
from flask_smorest import Api
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """64-bit keys, aware timestamps, enums stored by value, predictable constraint names."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        int: sa.BigInteger,
        str: sa.Text,
        datetime: sa.DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(sa.Text),
        enum.Enum: sa.Enum(
            enum.Enum,
            native_enum=False,
            create_constraint=True,
            length=32,
            values_callable=lambda cls: [member.value for member in cls],
        ),
    }


db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
migrate = Migrate()
jwt = JWTManager()
bcrypt = Bcrypt()
api = Api()
api.DEFAULT_ERROR_RESPONSE_NAME = None  # every endpoint lists its refusals one by one
