// What is in a model's answer, and calls as JSON has them, as `graph_ops/chat` has it; and the way there.
//
//     call:f{a:1,b:[<|"|>x<|"|>]}   ──▶   {name: 'f', arguments: {a: 1, b: ['x']}}

import { stripped } from './special_tokens.js';

export { callText, declarationText, responseText, valueText } from './native_text.js';
export { renderChat } from './template.js';

const QUOTE = '<|"|>';
const CALL = '<|tool_call>';
const CALL_END = '<tool_call|>';
const CHANNEL = '<|channel>';
const CHANNEL_END = '<channel|>';
const MARKERS = [CHANNEL, CHANNEL_END, CALL, CALL_END];
const FINISH_REASONS = { '<eos>': 'stop', '<turn|>': 'stop', '<|tool_response>': 'tool_calls' };
const MOST_DEPTH = 64; // lists and mappings inside each other that are read
const WORDS = { true: true, false: false, null: null };
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;

/**
 * What is in an answer, whole or cut. Its markers are told by their ids: what ordinary pieces spell is text.
 *
 * @param {ArrayLike<number>} ids that the model emitted, the one that ended the answer included.
 * @param {object} options
 * @param {string[]} options.pieces the piece of each id.
 * @param {(ids: number[]) => Promise<string>} options.detokenize ids to text.
 * @param {boolean} [options.inThought] whether the prompt ended inside a thought, as it does with thinking on behind what a tool answered.
 * @param {string[]} [options.leftOut] pieces that do not become text.
 * @returns {Promise<{thought: string, content: string, calls: string[], finishReason: 'stop' | 'tool_calls' | 'length'}>} `calls` are native
 *   text, for `parseCalls`.
 */
export async function parseResponse(ids, { pieces, detokenize, inThought = false, leftOut = [] }) {
  const segments = [{ marker: '', ids: [] }];
  let finishReason = 'length';
  for (const id of ids) {
    const piece = pieces[id];
    if (piece in FINISH_REASONS) {
      finishReason = FINISH_REASONS[piece];
      break;
    }
    if (MARKERS.includes(piece)) segments.push({ marker: piece, ids: [] });
    else if (!leftOut.includes(piece)) segments.at(-1).ids.push(id);
  }
  let isThought = inThought;
  let [thought, content, calls] = ['', '', []];
  for (const [place, { marker, ids: inside }] of segments.entries()) {
    const text = inside.length ? await detokenize(inside) : '';
    isThought = marker === CHANNEL || (isThought && marker !== CHANNEL_END);
    const goesOn = [CALL, CALL_END].includes(segments[place + 1]?.marker);
    if (isThought) thought += marker === CHANNEL ? withoutName(text, goesOn) : marker + text;
    else if (marker !== CALL) content += text;
    else checkQuotes(text, inside.filter((id) => pieces[id] === QUOTE).length), calls.push(text);
  }
  return { thought: thought.replace(/\n$/, ''), content: stripped(content), calls: calls.filter(Boolean), finishReason };
}

/**
 * Calls in native text as JSON has them.
 *
 * @param {string | string[]} native a text with any number of calls, each with or without `<|tool_call>` and `<tool_call|>` around it, or
 *   several texts, as `parseResponse` gives them.
 * @returns {{name: string, arguments: object}[]}
 * @throws {Error} something else than calls, or one that was cut: says where.
 */
export function parseCalls(native) {
  return [native].flat().flatMap((text) => [...new Reader(text).calls()]);
}

/** A thought without the name of its channel, or, where no more of it follows, without as much of it as there is. */
function withoutName(text, goesOn) {
  if (!goesOn && 'thought'.startsWith(text)) return '';
  return text.startsWith('thought\n') ? text.slice('thought\n'.length) : text;
}

/** Throws if the text of a call has more quotes than it has tokens that are quotes. */
function checkQuotes(text, tokens) {
  const found = text.split(QUOTE).length - 1;
  if (found > tokens) {
    throw new Error(`\`ids\`: in a call, \`${QUOTE}\` must be the token; got ${found} in the text of a call, of which ${tokens} are the token, so that its strings cannot be told apart. Leave the call out, or let the model answer again.`);
  }
}

/** A text of calls and how far it was read. */
class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  *calls() {
    this.skipSpace();
    while (this.at < this.text.length) {
      this.take(CALL);
      this.expect('call:');
      const name = stripped(this.until('{', 'a name and `{`'));
      yield { name, arguments: this.mapping(1) };
      this.skipSpace();
      this.take(CALL_END);
      this.skipSpace();
    }
  }

  value(depth) {
    if (depth > MOST_DEPTH) throw this.error(`at most ${MOST_DEPTH} lists and mappings inside each other`);
    if (this.take(QUOTE)) return this.until(QUOTE, `the closing \`${QUOTE}\``);
    if (this.take('{')) return this.mapping(depth + 1);
    if (!this.take('[')) return bareValue(this.bare());
    const found = [];
    this.items(']', () => found.push(this.value(depth + 1)));
    return found;
  }

  mapping(depth) {
    const entries = [];
    this.items('}', () => {
      const key = this.take(QUOTE) ? this.until(QUOTE, 'its end') : this.bare();
      this.skipSpace();
      this.expect(':');
      this.skipSpace();
      entries.push([key, this.value(depth)]);
    });
    return Object.fromEntries(entries); // makes no exception of a key `__proto__`
  }

  items(end, read) {
    this.skipSpace();
    if (this.take(end)) return;
    for (;;) {
      this.skipSpace();
      read();
      this.skipSpace();
      if (this.take(end)) return;
      this.expect(',', `\`,\` or \`${end}\``);
    }
  }

  bare() {
    const [word] = this.matched(/[^,:{}[\]]*/y);
    this.at += word.length;
    const trimmed = stripped(word);
    if (!trimmed) throw this.error('a key or a value');
    return trimmed;
  }

  until(end, wanted) {
    const found = this.text.indexOf(end, this.at);
    if (found < 0) throw this.error(wanted);
    const text = this.text.slice(this.at, found);
    this.at = found + end.length;
    return text;
  }

  take(text) {
    const isNext = this.text.startsWith(text, this.at);
    if (isNext) this.at += text.length;
    return isNext;
  }

  expect(text, wanted = `\`${text}\``) {
    if (!this.take(text)) throw this.error(wanted);
  }

  skipSpace() {
    this.at += this.matched(/[ \t\r\n]*/y)[0].length;
  }

  matched(pattern) {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text);
  }

  error(wanted) {
    const rest = this.text.slice(this.at, this.at + 20);
    const got = rest ? JSON.stringify(rest) : 'the end of the text';
    return new Error(`\`native\`: must be calls such as call:f{a:1}; at character ${this.at} it needs ${wanted}; got ${got}. An answer that was cut may lack its end: leave its last call out.`);
  }
}

/** A number, `true`, `false`, `null`, or else the word itself. */
function bareValue(word) {
  if (Object.hasOwn(WORDS, word)) return WORDS[word];
  return NUMBER.test(word) && Number.isFinite(Number(word)) ? Number(word) : word;
}
