// A dialogue as JSON has it, read and checked: what `template.js` writes out, as `graph_ops/layers/inputs/messages.py` has it.

import { isMapping, markedCall, markedDeclaration, markedResponse } from './native_text.js';
import { stripped, unicode } from './special_tokens.js';

const MEDIA = new Map([['image', 'image'], ['image_url', 'image'], ['audio', 'audio'], ['input_audio', 'audio'], ['video', 'video']]);
const ITEM_KEYS = ['image', 'image_url', 'audio', 'input_audio', 'video', 'url', 'base64', 'path']; // of a part, where its item may be

/**
 * The messages of one dialogue. Calls and responses are native text with marked quotes.
 *
 * @returns {{index: number, role: string, isFolded: boolean, thought: string, calls: string[], responses: string[], name: string,
 *   isString: boolean, parts: {type: string, text: string, medium?: string, given: object}[], answer: any}[]} `isFolded`: it becomes a part
 *   of the system block; `name` and `answer` are of a tool's message.
 */
export function readMessages(messages) {
  if (!isListOfMappings(messages)) {
    throw new Error(`\`messages\`: a dialogue must be a list of objects such as {role: 'user', content: 'Hi'}; got ${described(messages)}. Pass such a list.`);
  }
  messages.forEach(({ role }, index) => {
    if (typeof role === 'string' && role) return;
    throw new Error(`\`messages\`: a message must have a \`role\`, a string that is not empty; message ${index} has ${described(role)}. Name who speaks: 'user', 'assistant', 'system', 'tool'.`);
  });
  return messages.map((message, index) => readMessage(message, index, messages));
}

/** Throws for messages that the template takes and no row is made of: none, or of a role that is no word. */
export function checkRow(messages) {
  if (messages?.length === 0) throw new Error("`messages`: a dialogue must have a message; got none. Pass one such as {role: 'user', content: 'Hi'}.");
  const isWord = (role) => Array.from(role).every((character) => stripped(character));
  const wrong = readMessages(messages).find(({ role }) => !isWord(role));
  if (wrong) throw new Error(`\`messages\`: a role must be one word; message ${wrong.index} has ${described(wrong.role)}. Take white space out of it.`);
}

/** The native text of tools, with marked quotes. */
export function readTools(tools) {
  if (tools === null || tools === undefined) return [];
  if (!isListOfMappings(tools)) throw new Error(`\`tools\`: must be a list of objects, the schemas of functions; got ${described(tools)}. Pass such a list.`);
  return tools.map(markedDeclaration);
}

function readMessage(message, index, messages) {
  const role = unicode(message.role);
  const isFolded = index === 0 && ['system', 'developer'].includes(role);
  const isTool = role === 'tool';
  return {
    index,
    role,
    isFolded,
    thought: string(message.reasoning || message.reasoning_content || '', 'reasoning', index),
    calls: list(message.tool_calls, 'tool_calls', index).map((call) => readCall(call, index)),
    responses: list(message.tool_responses, 'tool_responses', index).map((response) => readResponse(response, index)),
    name: isTool ? answeredName(message, index, messages) : '',
    ...readContent(message.content, index, isFolded, isTool),
  };
}

function readContent(content, index, isFolded, isTool) {
  if (content === null || content === undefined) return { isString: false, parts: [], answer: null };
  if (typeof content === 'string') return { isString: true, parts: [{ type: 'text', text: unicode(content), given: content }], answer: content };
  if (isTool && ['number', 'bigint', 'boolean'].includes(typeof content)) return { isString: false, parts: [], answer: content };
  if (!Array.isArray(content)) {
    const remedy = isTool ? 'Pass what a tool answered as `tool_responses` of the message with the call, or as text, for example `JSON.stringify(content)`.' : 'Pass it as a string.';
    throw new Error(`\`messages\`: content must be a string or a list of parts; message ${index} has ${described(content)}. ${remedy}`);
  }
  const parts = content.map((part) => readPart(part, index, isFolded));
  return { isString: false, parts, answer: parts.filter(({ type }) => type === 'text').map(({ text }) => text).join('') };
}

function readPart(part, index, isFolded) {
  if (!isMapping(part)) throw new Error(`\`messages\`: a part must be an object such as {type: 'text', text: 'Hi'}; message ${index} has ${described(part)}. Write it so.`);
  const text = string(part.text || '', 'text', index);
  const medium = MEDIA.get(part.type);
  if (isFolded && medium && ITEM_KEYS.some((key) => (part[key] ?? null) !== null)) {
    throw new Error(`\`messages\`: a system message at the beginning shows no media; message ${index} has a part of type ${part.type}. Move it to a user's message.`);
  }
  return { type: part.type, text, medium, given: part };
}

function readCall(call, index) {
  const called = call?.function;
  if (!isMapping(called)) throw new Error(`\`messages\`: a tool call must be an object with a \`function\`, which has \`name\` and \`arguments\`; message ${index} has ${described(call)}. Write it so.`);
  const args = called.arguments ?? {};
  if (!isMapping(args)) throw new Error(`\`messages\`: the arguments of a tool call must be an object; message ${index} has ${described(args)}. Parse them, for example with \`JSON.parse(arguments)\`.`);
  return markedCall(checkedName(called.name, index), args);
}

function readResponse(response, index) {
  if (!isMapping(response)) throw new Error(`\`messages\`: a tool response must be an object with \`name\` and \`response\`; message ${index} has ${described(response)}. Write it so.`);
  return markedResponse(checkedName(response.name || 'unknown', index), response.response);
}

/** The function that a tool's message answers for: of the last call with its id, else its own name. */
function answeredName(message, index, messages) {
  let owner = index - 1;
  while (owner >= 0 && messages[owner].role === 'tool') owner--;
  const calls = owner < 0 ? [] : messages[owner].tool_calls ?? [];
  const matching = calls.filter(({ id }) => (id ?? null) === (message.tool_call_id ?? null));
  return checkedName(matching.length ? matching.at(-1).function.name : message.name || 'unknown', index);
}

function checkedName(name, index) {
  if (typeof name === 'string') return name;
  throw new Error(`\`messages\`: a function must have a name, a string; message ${index} has ${described(name)}. Name it.`);
}

function string(value, key, index) {
  if (typeof value === 'string') return unicode(value);
  throw new Error(`\`messages\`: \`${key}\` must be a string; message ${index} has ${described(value)}. Convert it.`);
}

function list(value, key, index) {
  if (Array.isArray(value ?? [])) return value ?? [];
  throw new Error(`\`messages\`: \`${key}\` must be a list; message ${index} has ${described(value)}. Put it into one.`);
}

const isListOfMappings = (value) => Array.isArray(value) && value.every(isMapping);

/** A value as an error shows it. */
function described(value) {
  const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value) ?? 'nothing';
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}
