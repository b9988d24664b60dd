import Diagnostics
import Testing
import WireFormats

@Suite struct NumpyHeaderTests {
  private func header(_ text: String, version: UInt8 = 1) throws -> NumpyHeader {
    let length = text.utf8.count
    var bytes = [0x93] + Array("NUMPY".utf8) + [version, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
    if version > 1 { bytes += [0, 0] }
    return try (bytes + Array(text.utf8)).withUnsafeBytes { try NumpyHeader($0, source: "x.npy") }
  }

  @Test func `what is written is read`() throws {
    for shape in [[], [7], [3, 4], [1 << 40, 4096, 4096, 3]] {
      let bytes = NumpyArray.byteHeader(shape: shape)
      let header = try bytes.withUnsafeBytes { try NumpyHeader($0, source: "x.npy") }
      #expect((header.type, header.shape, header.isColumnMajor, header.offset) == ("|u1", shape, false, 128))
    }
    let header = try NumpyArray.floatHeader(shape: [5]).withUnsafeBytes { try NumpyHeader($0, source: "x.npy") }
    #expect((header.type, header.shape, header.offset) == ("<f4", [5], 128))
  }

  /// `np.lib.format.write_array_header_2_0` and 1.0 of NumPy 2.3 write such headers.
  @Test func `headers of other versions and orders are read`() throws {
    let header = try header(#"{'shape': (2, 3), "descr": "<f8", 'fortran_order': True}     "#, version: 2)
    #expect((header.type, header.shape, header.isColumnMajor) == ("<f8", [2, 3], true))
  }

  @Test(arguments: [
    "", "{}", "{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x",
    "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
  ]) func `anything else is refused`(_ text: String) {
    let failure = #expect(throws: Failure.self) { try header(text) }
    #expect(failure?.status == .badData)
  }

  @Test func `a product of sizes beyond 64 bits is refused`() throws {
    let header = try header("{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296), }")
    #expect(throws: Failure.self) { try header.count(source: "x.npy") }
  }
}
