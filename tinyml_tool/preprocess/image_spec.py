"""Features of pictures: pixels of a camera become the smaller picture that a model takes."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from tinyml_tool.preprocess.strict import PerChannel, Strict

PixelFormat: TypeAlias = Literal[
    "grey8",
    "rgb888",
    "rgb565",
    "rgb565be",
    "yuyv",
    "bayer_rggb",
    "bayer_bggr",
    "bayer_grbg",
    "bayer_gbrg",
]

Side: TypeAlias = Annotated[int, Field(ge=1, le=4096)]
Offset: TypeAlias = Annotated[int, Field(ge=0, le=4095)]


class Crop(Strict):
    """`[features.crop]`: the part of the source that is used, in its pixels."""

    x: Offset = 0
    y: Offset = 0
    width: Side
    height: Side


class ImageSpec(Strict):
    """`kind = "image"`: convert, crop, resize, rotate, mirror, normalise; in this order.

    A Bayer picture is taken as one of half the width and height: each cell of 2 x 2 sensors is one
    pixel of that.
    """

    kind: Literal["image"] = "image"
    format: PixelFormat = "grey8"
    """How the source stores a pixel; rgb565 has the low byte first, rgb565be the high one."""
    source_width: Side
    source_height: Side
    crop: Crop | None = None
    width: Side
    """Of the resized picture, before it is rotated."""
    height: Side
    resize: Literal["nearest", "bilinear", "smooth", "area"] = "area"
    """bilinear: between the 4 nearest pixels, as TensorFlow and OpenCV; smooth: bilinear over the
    whole area that a pixel covers, as Pillow; area: mean of that area, as Pillow's BOX."""
    rotate: Literal[0, 90, 180, 270] = 0
    """Degrees clockwise."""
    mirror: Literal["none", "horizontal", "vertical"] = "none"
    """Swap left and right, or top and bottom, after the rotation."""
    colour: Literal["grey", "rgb"] = "grey"
    mean: PerChannel = (0.0,)
    std: PerChannel = (255.0,)
    """A value 0 to 255 becomes (value - mean) / std."""

    @property
    def channels(self) -> int:
        """Values of a pixel of the result."""
        return 1 if self.colour == "grey" else 3

    @property
    def is_bayer(self) -> bool:
        """Whether each pixel comes from a cell of 2 x 2 sensors."""
        return self.format.startswith("bayer")

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of the source."""
        return self.source_width * {"rgb888": 3, "rgb565": 2, "rgb565be": 2, "yuyv": 2}.get(
            self.format, 1
        )

    @property
    def area(self) -> Crop:
        """What is used of the source, in pixels after a Bayer cell became one."""
        cell = 2 if self.is_bayer else 1
        crop = self.crop or Crop(width=self.source_width, height=self.source_height)
        return Crop(
            x=crop.x // cell,
            y=crop.y // cell,
            width=crop.width // cell,
            height=crop.height // cell,
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """What a model gets: height, width, channels."""
        sides = (self.height, self.width)
        return (*(sides[::-1] if self.rotate in (90, 270) else sides), self.channels)

    def windows_in(self, samples: int) -> int:
        """Whole pictures within so many bytes."""
        return samples // (self.row_bytes * self.source_height)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        crop = self.crop or Crop(width=self.source_width, height=self.source_height)
        if crop.x + crop.width > self.source_width or crop.y + crop.height > self.source_height:
            raise ValueError("crop reaches outside the source")
        sides = (self.source_width, self.source_height, crop.x, crop.y, crop.width, crop.height)
        if self.is_bayer and any(side % 2 for side in sides):
            raise ValueError("sides and crop of a Bayer picture must be even")
        if self.format == "yuyv" and self.source_width % 2:
            raise ValueError("the width of a YUYV picture must be even")
        if self.format == "grey8" and self.colour == "rgb":
            raise ValueError("a grey source has no colour: colour = 'grey'")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channels):
                raise ValueError(f"{name} has {len(values)} values for {self.channels} channels")
        if min(self.std) <= 0:
            raise ValueError("std must be above 0")
        return self
