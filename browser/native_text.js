// JSON as native text: how calls, what tools answered and declarations stand in a dialogue, as `graph_ops/chat/native_text.py` has it.
//
//     {name: 'f', arguments: {a: 1, b: ['x']}}   ──▶   call:f{a:1,b:[<|"|>x<|"|>]}
//
// Numbers are printed as Python prints them. JavaScript does not tell 2.0 from 2: both are 2 here.

import { special, spelled, stripped, unicode } from './special_tokens.js';

const QUOTE = special('<|"|>'); // which no string can forge
const STANDARD_KEYS = ['description', 'type', 'properties', 'required', 'nullable'];

/** A call as native text: its name, and its arguments sorted by key. */
export const callText = (name, args) => spelled(markedCall(name, args));

/** What a tool answered as native text: an object as its keys and values, anything else as `value`. */
export const responseText = (name, response) => spelled(markedResponse(name, response));

/** A value as native text: strings in quotes, numbers as Python prints them. */
export const valueText = (value, quotesKeys = false) => spelled(markedValue(unicode(value), quotesKeys));

/**
 * The declaration of a tool as native text.
 *
 * @param {object} tool its schema in OpenAI's form: `{type: 'function', function: {name, description, parameters}}`.
 * @throws {Error} not such a schema.
 */
export const declarationText = (tool) => spelled(markedDeclaration(tool));

/** `callText` with marked quotes. */
export function markedCall(name, args) {
  return `call:${unicode(name)}${mapping(unicode(args ?? {}), false)}`;
}

/** `responseText` with marked quotes. */
export function markedResponse(name, response) {
  const given = unicode(response);
  return `response:${unicode(name)}${mapping(isMapping(given) ? given : { value: given }, false)}`;
}

function markedValue(value, quotesKeys) {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map((item) => markedValue(item, quotesKeys)).join(',')}]`;
  if (isMapping(value)) return mapping(value, quotesKeys);
  return typeof value === 'number' ? number(value) : String(value ?? null);
}

/** `declarationText` with marked quotes. */
export function markedDeclaration(tool) {
  const called = unicode(tool?.function);
  if (!isMapping(called) || typeof called.name !== 'string') {
    throw new Error("`tool`: must have a `function`, which has a `name`. Pass {type: 'function', function: {name, description, parameters}}.");
  }
  const fields = [`description:${quoted(printed(called.description))}`];
  if (isTrue(called.parameters)) fields.push(`parameters:{${parameters(called.parameters)}`);
  if ('response' in called) fields.push(`response:{${response(called.response)}`);
  return stripped(`declaration:${called.name}{${fields.join(',')}}`);
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
  if (kind === 'STRING' && isTrue(schema.enum)) fields.push(`enum:${markedValue(schema.enum, true)}`);
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
  if (key !== 'type') return `${key}:${markedValue(value, true)}`;
  return `type:${markedValue(typeof value === 'string' ? value.toUpperCase() : value.map((each) => printed(each).toUpperCase()), true)}`;
}

const required = (names) => `required:[${names.map((name) => quoted(printed(name))).join(',')}]`;
const type = (schema) => `type:${quoted(upper(schema))}`;
const upper = (schema) => ('type' in schema ? printed(schema.type).toUpperCase() : '');
const quoted = (text) => `${QUOTE}${text}${QUOTE}`;
/** Whether a value is an object of keys and values. */
export const isMapping = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

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
  return `{${sorted(value).map((key) => `${around}${key}${around}:${markedValue(value[key], quotesKeys)}`).join(',')}}`;
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
