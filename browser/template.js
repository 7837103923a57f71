// Gemma 4's chat template, version 5: a dialogue as the text that the model continues, as `graph_ops/chat/template.py` has it.
//
//     <bos>
//     <|turn>system ⏎ <|think|> ⏎ text of a first system message, <|tool>…<tool|> … <turn|> ⏎      where asked for
//     <|turn>ROLE ⏎ thought, calls, responses, content <turn|> ⏎                                of each message
//     <|turn>model ⏎                                                                       to generate from
//
// Plain functions of strings and lists, without a document and without a bundle, to be carried over to other languages line by line.

import { readMessages, readTools } from './messages.js';
import { markedResponse } from './native_text.js';
import { partsOf, special, spelled, stripped, typedIn } from './special_tokens.js';

const VARIANTS = ['small', 'large'];
const CHANNEL = '<|channel>';
const CHANNEL_END = '<channel|>';

/**
 * The text that the model was trained to see for messages.
 *
 * @param {object[]} messages in OpenAI's shape or in transformers': `role`; `content`, a string or parts; `reasoning` or
 *   `reasoning_content`; `tool_calls`; `tool_responses`; of a tool's message `tool_call_id` and `name`.
 * @param {object} [options]
 * @param {object[]} [options.tools] schemas of functions in OpenAI's form.
 * @param {boolean} [options.addGenerationPrompt] whether the model's next turn is opened.
 * @param {boolean} [options.enableThinking] whether the model is asked to think.
 * @param {boolean} [options.preserveThinking] whether thoughts beside older calls stay.
 * @param {'small' | 'large'} [options.variant] small for E2B and E4B.
 * @param {boolean} [options.allowSpecialTokens] whether what messages spell may be special tokens.
 * @returns {{text: string, parts: ({special: string} | {text: string})[], typed: string[], media: object[]}} `text` is for reading: nobody
 *   can tell in it which special tokens a message spelled, and `typed` are those that did. `parts` say it: the id of each `special`, and
 *   the ids of each `text` by itself, are the model's row, in which typed ones are ordinary characters. `media` are the parts of messages
 *   that the row's placeholders stand for, in their order.
 * @throws {Error} messages or tools that the template does not take: says how to correct them.
 */
export function renderChat(messages, options = {}) {
  const { tools, addGenerationPrompt = true, enableThinking = false, preserveThinking = false, variant = 'small' } = options;
  if (!VARIANTS.includes(variant)) throw new Error(`\`variant\`: must be one of ${VARIANTS.join(', ')}; got ${variant}. Pass one of them.`);
  const read = readMessages(messages);
  const turns = turnsOf(read);
  const last = turns.at(-1);
  const marked = [
    special('<bos>'),
    systemBlock(read.find(({ isFolded }) => isFolded), readTools(tools), enableThinking),
    ...turns.map((turn) => turnText(turn, preserveThinking)),
    addGenerationPrompt ? generationPrompt(last, enableThinking, variant) : '',
  ].join('');
  return {
    text: spelled(marked),
    parts: partsOf(marked, options.allowSpecialTokens ?? false),
    typed: typedIn(marked),
    media: turns.flatMap(({ message, answers }) => [...answers, message].flatMap((each) => each.parts.filter(({ medium }) => medium).map(({ given }) => given))),
  };
}

/** The messages that have a turn of their own, and what their places say of them. Those of tools belong to the calls that they answer. */
function turnsOf(messages) {
  const speaking = messages.filter(({ role }) => role !== 'tool');
  const lastUser = messages.map(({ role }) => role).lastIndexOf('user');
  const turns = speaking.map((message, place) => ({
    message,
    answers: answersTo(message, messages),
    followsAssistant: speaking[place - 1]?.role === 'assistant',
    precedesAssistant: speaking[place + 1]?.role === 'assistant',
    isLast: place === speaking.length - 1,
    isRecent: message.index > lastUser,
  }));
  return turns.filter(({ message }) => !message.isFolded);
}

/** The messages of tools right behind a message with calls and without responses of its own. */
function answersTo(message, messages) {
  const found = [];
  if (!message.calls.length || message.responses.length) return found;
  for (let at = message.index + 1; at < messages.length && messages[at].role === 'tool'; at++) found.push(messages[at]);
  return found;
}

function systemBlock(folded, tools, thinks) {
  if (!folded && !tools.length && !thinks) return '';
  const think = thinks ? `${special('<|think|>')}\n` : '';
  const text = folded ? systemText(folded) : '';
  const declared = tools.map((tool) => special('<|tool>') + tool + special('<tool|>')).join('');
  return `${special('<|turn>')}system\n${think}${text}${declared}${special('<turn|>')}\n`;
}

/** Of parts, each leaves a space, those without a text too. */
function systemText({ parts, isString }) {
  return parts.map(({ text }) => stripped(text) + (isString ? '' : ' ')).join('');
}

function turnText(turn, preservesThinking) {
  const { message, isRecent } = turn;
  const isModel = ['assistant', 'model'].includes(message.role);
  const opener = isModel && turn.followsAssistant ? '' : `${special('<|turn>')}${isModel ? 'model' : message.role}\n`;
  const thinks = message.thought && (isRecent || (preservesThinking && message.calls.length));
  const thought = thinks ? `${special(CHANNEL)}thought\n${message.thought}\n${special(CHANNEL_END)}` : '';
  const calls = message.calls.map((call) => special('<|tool_call>') + call + special('<tool_call|>')).join('');
  const content = message.parts.map((part) => partText(part, isModel)).join('');
  return opener + thought + calls + responsesOf(turn) + content + closer(turn, isModel, content);
}

function responsesOf({ message, answers }) {
  const own = message.responses.map(enclosed);
  const others = answers.map(({ name, answer, parts }) => enclosed(markedResponse(name, answer)) + parts.map(placeholder).join(''));
  return [...own, ...others].join('');
}

const enclosed = (response) => special('<|tool_response>') + response + special('<tool_response|>');
const placeholder = ({ medium }) => (medium ? special(`<|${medium}|>`) : '');
const responds = ({ message, answers }) => message.responses.length + answers.length > 0;

function partText(part, isModel) {
  if (part.type !== 'text') return placeholder(part);
  return stripped(isModel ? withoutThoughts(part.text) : part.text);
}

/** A text without what stands from a `<|channel>` to the next `<channel|>`, or to the end; one that nothing opened goes too. */
function withoutThoughts(text) {
  return text.split(CHANNEL_END).map((piece) => piece.split(CHANNEL)[0]).join('');
}

function closer(turn, isModel, content) {
  if (turn.message.calls.length && !responds(turn)) return special('<|tool_response>'); // the model waits for an answer
  if (isModel && turn.precedesAssistant) return '';
  if (responds(turn) && !content && turn.isLast) return '';
  return `${special('<turn|>')}\n`;
}

function generationPrompt(last, thinks, variant) {
  const thought = `${special(CHANNEL)}thought\n`;
  if (last && (last.message.calls.length || responds(last))) return responds(last) && thinks ? thought : '';
  const empty = variant === 'large' && !thinks ? thought + special(CHANNEL_END) : '';
  return `${special('<|turn>')}model\n${empty}`;
}
