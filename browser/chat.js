// What a dialogue's tools and answers look like to the model, and the way back, as `graph_ops/chat` has it.
//
//     {name: 'f', arguments: {a: 1, b: ['x']}}   <──▶   call:f{a:1,b:[<|"|>x<|"|>]}      native text
//
// Numbers are printed as Python prints them. JavaScript does not tell 2.0 from 2: both are 2 here.

const QUOTE = '<|"|>';
const CALL = '<|tool_call>';
const CALL_END = '<tool_call|>';
const CHANNEL = '<|channel>';
const CHANNEL_END = '<channel|>';
const MARKERS = [CHANNEL, CHANNEL_END, CALL, CALL_END];
const FINISH_REASONS = { '<eos>': 'stop', '<turn|>': 'stop', '<|tool_response>': 'tool_calls' };
const MOST_DEPTH = 64; // lists and mappings inside each other that are read
const STANDARD_KEYS = ['description', 'type', 'properties', 'required', 'nullable'];
const WORDS = { true: true, false: false, null: null };
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
const WHITE_SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const AT_ENDS = new RegExp(`^${WHITE_SPACE}+|${WHITE_SPACE}+$`, 'g'); // what Python's `str.strip` takes off

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
  return { thought: thought.replace(/\n$/, ''), content: content.replace(AT_ENDS, ''), calls: calls.filter(Boolean), finishReason };
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

/** A call as native text: its name, and its arguments sorted by key. */
export function callText(name, args) {
  return `call:${name}${mapping(args ?? {}, false)}`;
}

/** What a tool answered as native text: an object as its keys and values, anything else as `value`. */
export function responseText(name, response) {
  return `response:${name}${mapping(isMapping(response) ? response : { value: response }, false)}`;
}

/** A value as native text: strings in quotes, numbers as Python prints them. */
export function valueText(value, quotesKeys = false) {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map((item) => valueText(item, quotesKeys)).join(',')}]`;
  if (isMapping(value)) return mapping(value, quotesKeys);
  return typeof value === 'number' ? number(value) : String(value ?? null);
}

/**
 * The declaration of a tool as native text.
 *
 * @param {object} tool its schema in OpenAI's form: `{type: 'function', function: {name, description, parameters}}`.
 * @throws {Error} not such a schema.
 */
export function declarationText(tool) {
  const called = tool?.function;
  if (!isMapping(called) || typeof called.name !== 'string') {
    throw new Error("`tool`: must have a `function`, which has a `name`. Pass {type: 'function', function: {name, description, parameters}}.");
  }
  const fields = [`description:${quoted(printed(called.description))}`];
  if (isTrue(called.parameters)) fields.push(`parameters:{${parameters(called.parameters)}`);
  if ('response' in called) fields.push(`response:{${response(called.response)}`);
  return `declaration:${called.name}{${fields.join(',')}}`.replace(AT_ENDS, '');
}

function parameters(schema) {
  let text = '';
  if (isTrue(schema.properties)) text += `properties:{${properties(schema.properties)}},`;
  if (isTrue(schema.required)) text += `${required(schema.required)},`;
  return isTrue(schema.type) ? `${text}${type(schema)}}` : text;
}

function response(schema) {
  const text = isTrue(schema.description) ? `description:${quoted(printed(schema.description))},` : '';
  return upper(schema) === 'OBJECT' ? `${text}${type(schema)}}` : text;
}

function properties(schemas, isFiltered = false) {
  const kept = sorted(schemas).filter((key) => !(isFiltered && STANDARD_KEYS.includes(key)));
  return kept.map((key) => `${key}:{${property(schemas[key])}}`).join(',');
}

function property(given) {
  const schema = isMapping(given) ? given : {};
  const kind = upper(schema);
  const fields = [];
  if (isTrue(schema.description)) fields.push(`description:${quoted(printed(schema.description))}`);
  if (kind === 'STRING' && isTrue(schema.enum)) fields.push(`enum:${valueText(schema.enum, true)}`);
  if (kind === 'ARRAY' && isMapping(schema.items) && isTrue(schema.items)) fields.push(`items:{${items(schema.items)}}`);
  if (isTrue(schema.nullable)) fields.push('nullable:true');
  if (kind === 'OBJECT') {
    const isListed = isMapping(schema.properties);
    fields.push(`properties:{${properties(isListed ? schema.properties : schema, !isListed)}}`);
    if (isTrue(schema.required)) fields.push(required(schema.required));
  }
  return [...fields, type(schema)].join(',');
}

/** The schema of an array's items: all of its fields, sorted. */
function items(schema) {
  const given = sorted(schema).filter((key) => schema[key] !== null);
  return given.map((key) => item(key, schema[key])).join(',');
}

function item(key, value) {
  if (key === 'properties') return `properties:{${isMapping(value) ? properties(value) : ''}}`;
  if (key === 'required') return required(value);
  if (key !== 'type') return `${key}:${valueText(value, true)}`;
  return `type:${valueText(typeof value === 'string' ? value.toUpperCase() : value.map((each) => printed(each).toUpperCase()), true)}`;
}

const required = (names) => `required:[${names.map((name) => quoted(printed(name))).join(',')}]`;
const type = (schema) => `type:${quoted(upper(schema))}`;
const upper = (schema) => ('type' in schema ? printed(schema.type).toUpperCase() : '');
const quoted = (text) => `${QUOTE}${text}${QUOTE}`;
const isMapping = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What Python takes for true. */
function isTrue(value) {
  return Boolean(value) && !(typeof value === 'object' && Object.keys(value).length === 0);
}

/** What Python's `str` prints; "" for null. */
function printed(value) {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : shown(value);
}

/** What Python's `repr` prints of JSON. */
function shown(value) {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return number(value);
  if (typeof value === 'string') return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value.replace(/[\\']/g, '\\$&')}'`;
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  return `{${Object.entries(value).map(([key, entry]) => `${shown(key)}: ${shown(entry)}`).join(', ')}}`;
}

/** A number as Python prints it: with an exponent of two digits or more below 0.0001 and from 1e16 on. */
function number(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (Number.isSafeInteger(value)) return String(value);
  const [digits, power] = value.toExponential().split('e');
  const isShort = Number(power) >= -4 && Number(power) < 16;
  if (isShort) return Number.isInteger(value) ? `${value}.0` : value.toFixed(Math.max(0, digits.replace(/-|\./g, '').length - 1 - Number(power)));
  return `${digits}e${power[0]}${power.slice(1).padStart(2, '0')}`;
}

function mapping(value, quotesKeys) {
  const around = quotesKeys ? QUOTE : '';
  return `{${sorted(value).map((key) => `${around}${key}${around}:${valueText(value[key], quotesKeys)}`).join(',')}}`;
}

/** Keys without regard to case, by code points, those that differ in nothing else as they come. */
function sorted(value) {
  const points = (key) => Array.from(key.toLowerCase(), (character) => character.codePointAt(0));
  const pairs = Object.keys(value).map((key) => [key, points(key)]);
  return pairs.sort(([, one], [, other]) => compared(one, other)).map(([key]) => key);
}

function compared(one, other) {
  const place = one.findIndex((point, index) => point !== other[index]);
  if (place < 0) return one.length - other.length;
  return place < other.length ? one[place] - other[place] : 1;
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
      const name = this.until('{', 'a name and `{`').replace(AT_ENDS, '');
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
    const trimmed = word.replace(AT_ENDS, '');
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
