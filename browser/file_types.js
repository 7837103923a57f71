// What a file is that the browser cannot decode, by the table `file_types` of a bundle's `signatures.json`.

const HEAD = 1024; // bytes that are looked at

/**
 * The first entry of the table that fits a file.
 *
 * @param {Uint8Array} bytes of the file.
 * @param {{name: string, remedy: string, medium: ?string, is_text: boolean, signatures: [number, string][][], pattern: ?string}[]} types
 * @returns {object | undefined}
 */
export function fileType(bytes, types) {
  const head = bytes.subarray(0, HEAD);
  const text = new TextDecoder().decode(head).toLowerCase().trim();
  const start = new TextEncoder().encode(text);
  return types.find(({ is_text, signatures, pattern }) =>
    signatures.some((marks) => marks.every(([offset, hex]) => stands(is_text ? start : head, offset, hex))) ||
    (pattern && new RegExp(`^(?:${pattern})$`, 'is').test(text)));
}

function stands(bytes, offset, hex) {
  const expected = hex.match(/../g)?.map((code) => parseInt(code, 16)) ?? [];
  return expected.every((code, index) => bytes[offset + index] === code);
}
