"""Bodies that many get."""

import gzip

from utils.ready_text import ReadyText


def test_is_compressed_once_and_reads_the_same():
    text = ReadyText(b"seat " * 1000)

    assert gzip.decompress(text.gzipped) == text.body
    assert len(text.gzipped) < 200
    assert text.gzipped is text.gzipped


def test_the_same_text_is_compressed_to_the_same_bytes():
    """Its tag is strong: nothing in them may depend on when, or in which process."""
    assert ReadyText(b"seat " * 1000).gzipped == ReadyText(b"seat " * 1000).gzipped
