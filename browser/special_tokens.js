// Texts with marks for the template's own special tokens, so that no message can forge one, as `graph_ops/chat/marks.py` has it.
//
//     ·<bos>··<|turn>·user⏎Hi <··|turn>·<turn|>·⏎       · is the mark: on both sides of a special token; twice where a typed one is broken
//
// The mark is half of a UTF-16 pair, which no text holds that `unicode` has read.

const MARK = '\udc00';
const NAMES = ['bos', 'eos', 'pad', 'unk', 'mask', '|think|', '|"|', '|image|', '|audio|', '|video|', '|image', 'image|', '|audio', 'audio|'];
const PAIRS = ['turn', 'tool', 'tool_call', 'tool_response', 'channel'];
const LISTED = [...NAMES, ...PAIRS.flatMap((name) => [`|${name}`, `${name}|`])].map((name) => name.replaceAll('|', '\\|'));
const TYPED = new RegExp(`<(?:${LISTED.join('|')}|unused[0-9]+)>|\\[multimodal\\]`, 'g');
const IS_SPECIAL = /^(<\|.+>|<.+\|>|<unused[0-9]+>|<mask>|<bos>|<eos>|<pad>|<unk>|\[multimodal\])$/; // pieces of a vocabulary
const LONE_SURROGATES = /[\ud800-\udfff]/gu; // with `u`, a pair is one character, which does not match
// What Python's `str.strip` takes off.
const WHITE_SPACE = '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

/** A special token of the template's own. */
export const special = (name) => MARK + name + MARK;

/** A marked text with its special tokens as their names. */
export const spelled = (marked) => marked.replaceAll(MARK, '');

/** The special tokens that a marked text spells beside those of the template. */
export const typedIn = (marked) => texts(marked).flatMap((text) => text.match(TYPED) ?? []);

/**
 * A marked text as what is tokenized one by one.
 *
 * A special token that a message spells is broken behind its first character, across which no ordinary piece lies, so that the ids of both
 * sides are those of ordinary characters (see `graph_ops/chat/breaks.py`).
 *
 * @param {string} marked
 * @param {boolean} allowsTyped whether messages may spell special tokens.
 * @returns {({special: string} | {text: string})[]}
 */
export function partsOf(marked, allowsTyped) {
  const broken = (text) => text.replace(TYPED, (token) => token[0] + special('') + token.slice(1));
  const pieces = allowsTyped ? marked.split(MARK) : marked.split(MARK).map((piece, at) => (at % 2 ? piece : broken(piece))).join(MARK).split(MARK);
  return pieces.map((piece, at) => (at % 2 ? { special: piece } : { text: piece })).filter(({ special: name, text }) => name || text);
}

/**
 * The ids of a rendered dialogue.
 *
 * @param {({special: string} | {text: string})[]} parts of `renderChat`.
 * @param {object} options
 * @param {string[]} options.pieces the piece of each id.
 * @param {(text: string) => Promise<ArrayLike<number>>} options.tokenize a text to ids.
 * @returns {Promise<number[]>}
 * @throws {Error} the vocabulary lacks a token of the template; names it.
 */
export async function idsOf(parts, { pieces, tokenize }) {
  const ids = [];
  for (const { special: name, text } of parts) {
    const found = name ? [pieces.indexOf(name)] : await tokenize(text);
    if (found[0] === -1) throw new Error(`\`pieces\`: chat needs the token ${name}, which this vocabulary lacks. Use one of an instruction-tuned model.`);
    for (const id of found) ids.push(id);
  }
  return ids;
}

/**
 * The special tokens of a vocabulary that `partsOf` cannot break: those that it does not know, or that an ordinary piece lies across behind
 * their first character.
 *
 * @param {string[]} pieces the piece of each id.
 */
export function unbreakable(pieces) {
  const tokens = pieces.filter((piece) => IS_SPECIAL.test(piece));
  const around = pieces.filter((piece) => /[<[]/.test(piece) && !IS_SPECIAL.test(piece));
  const behind = around.flatMap((piece) => Array.from(piece.matchAll(/[<[]/g), ({ index }) => piece.slice(index)));
  const longer = [...new Set(behind)].filter((piece) => piece.length > 1);
  return tokens.filter((token) => !isListed(token) || longer.some((piece) => fits(piece, token.split(/[0-9]/)[0])));
}

const isListed = (token) => token.replace(TYPED, '') === '';
const fits = (piece, known) => piece.startsWith(known) || known.startsWith(piece);

/** JSON, or a text, with U+FFFD for each half of a UTF-16 pair that stands alone, as everywhere on the web. */
export function unicode(value) {
  if (typeof value === 'string') return value.replace(LONE_SURROGATES, '\ufffd');
  if (Array.isArray(value)) return value.map(unicode);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [unicode(key), unicode(entry)]));
}

/** A text without the white space at its ends: Python's `str.strip`. */
export function stripped(text) {
  let [start, end] = [0, text.length];
  while (start < end && WHITE_SPACE.includes(text[start])) start++;
  while (start < end && WHITE_SPACE.includes(text[end - 1])) end--;
  return text.slice(start, end);
}

/** The texts between special tokens. */
function texts(marked) {
  return marked.split(MARK).filter((_, at) => at % 2 === 0);
}
