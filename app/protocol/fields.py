"""The kinds of values that payloads are made of, each bounded."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
"""An id that the server made, or a scene's id."""

PageMadeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
"""An id that a page made: long enough not to meet another page's."""

Milliseconds = Annotated[float, Field(ge=0, le=86_400_000, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Number = (
    Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
)
Action = Number | Annotated[list[Number], Field(max_length=32)]
"""One player's action in one frame: a number, or a short flat list of them."""


class Payload(BaseModel):
    """Base of every payload: strict types, frozen, and fields of newer pages are passed over."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")
