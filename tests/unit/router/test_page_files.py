"""The page's content security policy."""

from router.page_files import inline_hashes, page_policy

# From the specification of subresource integrity: the SHA-256 of `alert('Hello, world.');`.
HELLO = "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="


def test_each_inline_script_is_allowed_by_its_hash() -> None:
    document = (
        b"""<script>alert('Hello, world.');</script><script type="module" src="a.js"></script><script>1</script>"""
    )
    assert inline_hashes(document, "script")[0] == HELLO
    assert len(inline_hashes(document, "script")) == 2
    assert f"script-src 'self' '{HELLO}';" in page_policy(["*"], [HELLO])


def test_without_inline_scripts_only_files_are_allowed() -> None:
    assert inline_hashes(b"<script type='module' src='./a.js'></script>", "script") == ()
    assert "script-src 'self';" in page_policy(["*"])


def test_each_inline_style_is_allowed_by_its_hash() -> None:
    document = b"<style>alert('Hello, world.');</style><link rel='stylesheet' href='./a.css'>"
    assert inline_hashes(document, "style") == (HELLO,)
    assert f"style-src 'self' '{HELLO}';" in page_policy(["*"], [], [HELLO])
    assert "style-src 'self';" in page_policy(["*"])
