"""What a picture counts: the examples of OpenAI's guide, and sizes as a decoder of pictures reads them."""

import base64
import io

import pytest

from finetune_lib.pictures import PictureRule, patches, picture_tokens, size_of, tiles

TILES, PATCHES = PictureRule(base=85, tile=170), PictureRule(factor=1.62)


def picture(url, detail=None):
    return {"type": "image_url", "image_url": {"url": url, **({"detail": detail} if detail else {})}}


def png(width, height, form="PNG", **options):
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("RGB", (width, height)).save(out, form, **options)
    return f"data:image/{form.lower()};base64,{base64.b64encode(out.getvalue()).decode()}"


@pytest.mark.parametrize(
    ("width", "height", "count"),
    [(1024, 1024, 4), (2048, 4096, 6), (512, 512, 1), (513, 512, 2), (1, 1, 1), (4000, 10, 4)],
)
def test_tiles(width, height, count):
    assert tiles(width, height) == tiles(height, width) == count


@pytest.mark.parametrize(("width", "height", "count"), [(1024, 1024, 1024), (1800, 2400, 1452), (33, 32, 2), (1, 1, 1)])
def test_patches(width, height, count):
    assert patches(width, height) == count


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "comment": b"x" * 5000}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0"}),
        ("GIF", {}),
    ],
)
def test_the_size_is_read_from_the_picture(form, options):
    assert size_of(png(640, 48, form, **options)) == (640, 48)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "data:image/png;base64,",
        "data:image/png;base64,%%%%",
        "data:image/jpeg;base64,/9j/",
    ],
)
def test_a_size_that_is_not_told(url):
    assert size_of(url) is None


def test_a_model_that_counts_tiles():
    assert picture_tokens(picture(png(1024, 1024), "high"), TILES) == (765, True)
    assert picture_tokens(picture(png(1024, 1024)), TILES) == (765, False)
    assert picture_tokens(picture("https://example.com/a.png", "low"), TILES) == (85, True)
    assert picture_tokens(picture("https://example.com/a.png", "high"), TILES) == (765, False)
    assert picture_tokens({"type": "image_url", "image_url": "https://example.com/a.png"}, TILES) == (765, False)


def test_a_model_that_counts_patches():
    assert picture_tokens(picture(png(1024, 1024)), PATCHES) == (1659, True)
    assert picture_tokens(picture("https://example.com/a.png"), PATCHES) == (1659, False)
