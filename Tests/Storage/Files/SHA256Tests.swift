import Files
import Testing

@Suite struct SHA256Tests {
  /// FIPS 180-2, appendix B.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `digests are those of the standard`(text: String, digest: String) {
    #expect(SHA256.hex(of: text) == digest)
    #expect(SHA256.isHex(digest))
  }

  @Test func `a million letters in uneven pieces give the standard's digest`() throws {
    var hasher = SHA256()
    for length in [1, 999, 65_536, 933_464] { hasher.update(repeatElement(UInt8(ascii: "a"), count: length)) }
    #expect(hasher.hex() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func `only 64 lower-case hexadecimals look like a digest`() {
    #expect(!SHA256.isHex(""))
    #expect(!SHA256.isHex(String(repeating: "A", count: 64)))
    #expect(!SHA256.isHex(String(repeating: "a", count: 63)))
  }
}
