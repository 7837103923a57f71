// Reads the pieces out of a SentencePiece model, which is a protocol buffer: tags, each with a varint, 4 or 8 bytes, or a length and bytes.

const PIECES = 1; // ModelProto.pieces, a message for each id
const PIECE = 1; // ModelProto.SentencePiece.piece
const [VARINT, EIGHT_BYTES, SIZED, FOUR_BYTES] = [0, 1, 2, 5];

/**
 * @param {Uint8Array} model bytes of a `.spm` file.
 * @returns {string[]} the piece of each id.
 */
export function readPieces(model) {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return Array.from(sizedFields(model, PIECES), (piece) => decoder.decode(sizedFields(piece, PIECE).next().value));
}

/** The bytes of each field with that number. */
function* sizedFields(bytes, wanted) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === VARINT) varint();
    else if (wire === EIGHT_BYTES) at += 8;
    else if (wire === FOUR_BYTES) at += 4;
    else if (wire === SIZED) {
      const size = varint();
      if (tag >> 3 === wanted) yield bytes.subarray(at, at + size);
      at += size;
    } else throw new Error(`vocabulary.spm: must be a SentencePiece model; got wire type ${wire}. Serve the bundle's own file.`);
  }
}
