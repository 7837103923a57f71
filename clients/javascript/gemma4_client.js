/**
 * Asks a server of Gemma 4's preprocessor over REST: TensorFlow Serving or its embedded twin. For Node 18 or
 * later and browsers; it needs nothing but `fetch`.
 *
 * @typedef {{dtype: string, shape: (number|null)[]|null}} Spec dtype such as DT_STRING; null is a dim that a
 *   request chooses, or any rank
 * @typedef {{inputs: Record<string, Spec>, outputs: Record<string, Spec>}} Signature
 * @typedef {{signal?: AbortSignal, timeout?: number}} Options `timeout`: milliseconds, retries included
 * @typedef {{attempts: number, initialMs: number, multiplier: number, maxMs: number, jitter: number}} Retries
 * @typedef {{outputs: Record<string, any>, statuses: string[], faults: Map<number, string>}} Answer
 *   nested arrays by name; of each row what is wrong with it, "" for a good one; the rows that are not good
 */

/**
 * When a request is sent again: after a failure of the network, HTTP 503 and 429, and after nothing else.
 * Pauses grow from `initialMs` by `multiplier` to `maxMs`, and a part of each, `jitter`, is drawn. The
 * numbers are those of the Python client.
 * @type {Retries}
 */
export const RETRIES = Object.freeze({attempts: 5, initialMs: 100, multiplier: 2, maxMs: 5000, jitter: 0.2});
const TIMEOUT_MS = 30_000;
const TRY_AGAIN = new Set([429, 503]);
const NOT_READY = new Set([404, 503]);
const STATUS = 'status';
const INTERNAL = '__'; // what TensorFlow's own signatures begin with
const CHUNK = 0x8000; // characters that a call of String.fromCharCode takes at a time

/** Any failure of this client. */
export class ClientError extends Error {
  name = this.constructor.name;
}
/** An argument that the signature does not take; nothing was sent. */
export class InputError extends ClientError {}
/** No answer came in time. */
export class DeadlineExceeded extends ClientError {}
/** Nobody answered, or the model is not there yet, in all `attempts`. */
export class Unavailable extends ClientError {
  constructor(message, attempts, cause) {
    super(message, {cause});
    this.attempts = attempts;
  }
}
/** The server answered with an error: `status` is HTTP's. */
export class Refused extends ClientError {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}
/** Rows of an answer with a fault: `statuses` has every row's. */
export class RowError extends ClientError {
  constructor(statuses) {
    const faults = statuses.flatMap((status, row) => (status ? [`row ${row}: ${status}`] : []));
    super(`${faults.join('; ')} The other rows are good.`);
    this.statuses = statuses;
  }
}

/**
 * @template {{statuses: string[]}} T
 * @param {T} answer of any method
 * @returns {T} the answer, if all of its rows are good; otherwise a RowError is thrown
 */
export function checked(answer) {
  if (answer.statuses.some(Boolean)) throw new RowError(answer.statuses);
  return answer;
}

/** One model of one server. */
export class Client {
  /**
   * @param {string} url of REST, for example http://localhost:8501
   * @param {{model?: string, version?: number, label?: string, timeout?: number, retries?: Partial<Retries>,
   *   headers?: Record<string, string>, fetch?: typeof fetch}} [settings] `timeout`: milliseconds for a call
   */
  constructor(url, {model = 'gemma4', version, label, timeout = TIMEOUT_MS, retries = {}, headers = {},
    fetch = globalThis.fetch.bind(globalThis)} = {}) {
    if (!/^https?:\/\//.test(url)) {
      throw new InputError(`url: must begin with http:// or https://; got ${url}. Pass one as `
        + 'http://localhost:8501.');
    }
    if (version !== undefined && label !== undefined) {
      throw new InputError(`label: must be alone; got version ${version} too. Pass one of them.`);
    }
    this.retries = {...RETRIES, ...retries};
    checkPositive({timeout, attempts: this.retries.attempts});
    const labelled = label ? `/labels/${encodeURIComponent(label)}` : '';
    const choice = version !== undefined ? `/versions/${version}` : labelled;
    this.path = `${url.replace(/\/+$/, '')}/v1/models/${encodeURIComponent(model)}${choice}`;
    Object.assign(this, {timeout, headers, fetch});
    /** @type {Record<string, Signature>|null} */
    this.known = null;
  }

  /**
   * Runs a signature in column format: all rows of each input.
   * @param {string} signature one of `signatures()`
   * @param {Record<string, any>} inputs strings, Uint8Array for files, numbers, booleans, in nested arrays
   * @param {Options} [options]
   * @returns {Promise<Answer>}
   */
  async predict(signature, inputs, options = {}) {
    return this.#timed(options, (deadline) => this.#predict(signature, inputs, deadline));
  }

  /**
   * Runs a signature in row format: an object for each row.
   * @param {string} signature
   * @param {Record<string, any>[]} rows
   * @param {Options} [options]
   * @returns {Promise<{rows: Record<string, any>[], statuses: string[], faults: Map<number, string>}>}
   */
  async predictRows(signature, rows, options = {}) {
    return this.#timed(options, async (deadline) => {
      const known = await this.#signature(signature, deadline);
      for (const row of checkArray('rows', rows)) checkNames(signature, known, row);
      const body = {signature_name: signature, instances: rows.map(encoded)};
      const {predictions} = await this.#post(body, deadline);
      const [only, ...others] = Object.keys(known.outputs);
      const named = others.length ? predictions : predictions.map((value) => ({[only]: value}));
      const read = named.map((row) => decodedOutputs(known, row));
      return {rows: read, ...statusesOf(read.map((row) => row[STATUS] ?? ''))};
    });
  }

  /**
   * Rows to generate from, by the signature for what is passed: `generate_preprocess_text`, `_image` or
   * `_audio`, or `generate_preprocess` for both and where there is no such one.
   * @param {string[]} prompts with a placeholder such as `<|image|>` for each file
   * @param {{images?: Uint8Array[][], audio?: Uint8Array[][], more?: Record<string, any>} & Options}
   *   [options]
   *   of each row its files; `more`: inputs that an export takes beside these
   * @returns {Promise<Answer>}
   */
  async generatePreprocess(prompts, {images, audio, more = {}, ...options} = {}) {
    return this.#timed(options, async (deadline) => {
      const media = Object.fromEntries(Object.entries({images, audio}).filter(([, files]) => files));
      const suffix = {'': '_text', images: '_image', audio: '_audio'}[Object.keys(media).join()] ?? '';
      const known = await this.#signatures(deadline);
      const own = `generate_preprocess${suffix}`;
      const name = own in known ? own : 'generate_preprocess';
      const taken = (await this.#signature(name, deadline)).inputs;
      const none = checkArray('prompts', prompts).map(() => []);
      for (const medium of ['images', 'audio']) {
        if (medium in media || medium in taken) media[medium] = padded(medium, media[medium] ?? none, '', 1);
      }
      return this.#predict(name, {prompts, ...media, ...more}, deadline);
    });
  }

  /**
   * @param {string[]} texts
   * @param {Options} [options]
   * @returns {Promise<number[][]>} the ids of each
   */
  async tokenize(texts, options = {}) {
    const {outputs} = await this.predict('tokenize', {text: checkArray('texts', texts)}, options);
    return outputs.token_ids.map((ids, row) => ids.slice(0, outputs.lengths[row]));
  }

  /**
   * @param {number[][]} tokenIds of each row; rows may have different lengths
   * @param {Options} [options]
   * @returns {Promise<{texts: string[], statuses: string[], faults: Map<number, string>}>}
   */
  async detokenize(tokenIds, options = {}) {
    const rows = padded('tokenIds', tokenIds, 0, 0);
    const inputs = {token_ids: rows, lengths: tokenIds.map((ids) => ids.length)};
    const {outputs, ...told} = await this.predict('detokenize', inputs, options);
    return {texts: outputs.text, ...told};
  }

  /**
   * How many tokens requests take, without their files.
   * @param {string[]} prompts
   * @param {{imageSizes?: [number, number][][], audioLengths?: number[][], more?: Record<string, any>}
   *   & Options} [options] of each row the (height, width) of its images and the samples of its clips at 16 kHz
   * @returns {Promise<{numTokens: number[], fits: boolean[], statuses: string[],
   *   faults: Map<number, string>}>}
   */
  async countTokens(prompts, {imageSizes, audioLengths, more = {}, ...options} = {}) {
    return this.#timed(options, async (deadline) => {
      const taken = (await this.#signature('count_tokens', deadline)).inputs;
      const none = checkArray('prompts', prompts).map(() => []);
      const inputs = {prompts, ...more};
      const sizes = {image_sizes: [imageSizes, [0, 0]], audio_lengths: [audioLengths, 0]};
      for (const [name, [rows, empty]] of Object.entries(sizes)) {
        if (rows || name in taken) inputs[name] = padded(name, rows ?? none, empty, 1);
      }
      const {outputs, ...told} = await this.#predict('count_tokens', inputs, deadline);
      return {numTokens: outputs.num_tokens, fits: outputs.fits, ...told};
    });
  }

  /**
   * @param {Options} [options]
   * @returns {Promise<Record<string, Signature>>} what the server says now
   */
  async signatures(options = {}) {
    this.known = null;
    return this.#timed(options, (deadline) => this.#signatures(deadline));
  }

  /**
   * @param {Options} [options]
   * @returns {Promise<boolean>} whether the version that this client asks serves; asked once, without retries
   */
  async ready(options = {}) {
    try {
      await this.#timed(options, (deadline) => this.#request('/metadata', undefined, deadline, 1));
      return true;
    } catch (error) {
      if (error instanceof Unavailable || error instanceof DeadlineExceeded) return false;
      if (error instanceof Refused && NOT_READY.has(error.status)) return false;
      throw error;
    }
  }

  async #predict(signature, inputs, deadline) {
    const known = await this.#signature(signature, deadline);
    checkNames(signature, known, inputs);
    const {outputs} = await this.#post({signature_name: signature, inputs: encoded(inputs)}, deadline);
    const [only, ...others] = Object.keys(known.outputs);
    const read = decodedOutputs(known, others.length ? outputs : {[only]: outputs});
    return {outputs: read, ...statusesOf(read[STATUS] ?? [])};
  }

  async #post(body, deadline) {
    try {
      return await this.#request(':predict', JSON.stringify(body), deadline, this.retries.attempts);
    } catch (error) {
      if (error instanceof Refused) this.known = null; // another version may take other inputs
      throw error;
    }
  }

  async #signatures(deadline) {
    if (!this.known) {
      const answer = await this.#request('/metadata', undefined, deadline, this.retries.attempts);
      this.known = readSignatures(answer.metadata.signature_def.signature_def);
    }
    return this.known;
  }

  async #signature(name, deadline) {
    if (!(name in (await this.#signatures(deadline)))) this.known = null;
    const known = await this.#signatures(deadline);
    if (!(name in known)) {
      const names = Object.keys(known).join(', ');
      throw new InputError(`signature: must be one of the model's, ${names}; got ${name}. Pass one of `
        + 'those, or export the model with it.');
    }
    return known[name];
  }

  /** Calls `work` with a signal for its time and the caller's own, and says which of them ended it. */
  async #timed({signal, timeout = this.timeout}, work) {
    checkPositive({timeout});
    const controller = new AbortController();
    const late = new DeadlineExceeded(`${this.path}: must answer within ${timeout} ms; got no answer. `
      + 'Pass a larger timeout, or send less at once.');
    const abort = () => controller.abort(signal.reason);
    const timer = setTimeout(() => controller.abort(late), timeout);
    signal?.addEventListener('abort', abort, {once: true});
    try {
      if (signal?.aborted) abort();
      return await work({signal: controller.signal, end: performance.now() + timeout});
    } catch (error) {
      throw controller.signal.aborted ? controller.signal.reason : error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** The JSON of an answer; sent again as RETRIES says. */
  async #request(path, body, deadline, attempts) {
    const method = body === undefined ? 'GET' : 'POST';
    const headers = {...(body === undefined ? {} : {'content-type': 'application/json'}), ...this.headers};
    for (let attempt = 1; ; attempt += 1) {
      let reason, cause, wait = 0;
      try {
        const response = await this.fetch(this.path + path, {method, headers, body, signal: deadline.signal});
        const text = await response.text();
        if (response.ok) return JSON.parse(text);
        reason = `HTTP ${response.status}: ${messageOf(text)}`;
        if (!TRY_AGAIN.has(response.status)) throw new Refused(`${this.path}: ${reason}`, response.status);
        wait = 1000 * Number(response.headers.get('retry-after')) || 0;
      } catch (error) {
        if (deadline.signal.aborted || error instanceof ClientError) throw error;
        if (error instanceof SyntaxError) {
          throw new ClientError(`${this.path}: must answer in JSON. Pass the url of the server's REST.`);
        }
        [reason, cause] = [error.cause?.message || error.cause?.code || error.message, error];
      }
      const pause = Math.max(wait, pauseAfter(this.retries, attempt));
      if (attempt >= attempts || performance.now() + pause >= deadline.end) {
        throw new Unavailable(`${this.path}: must answer; got "${reason}" in each of ${attempt} attempts. `
          + 'Start the server, or pass a larger timeout and more attempts.', attempt, cause);
      }
      await slept(pause, deadline.signal);
    }
  }
}

/**
 * @param {Retries} retries
 * @param {number} attempt the first of which is 1
 * @returns {number} milliseconds to wait after it
 */
export function pauseAfter({initialMs, multiplier, maxMs, jitter}, attempt) {
  return Math.min(initialMs * multiplier ** (attempt - 1), maxMs) * (1 - jitter + 2 * jitter * Math.random());
}

/**
 * @param {any} value of JavaScript: bytes become base64, typed arrays arrays
 * @returns {any} what JSON takes
 */
export function encoded(value) {
  if (value instanceof ArrayBuffer) return encoded(new Uint8Array(value));
  if (value instanceof Uint8Array) return {b64: base64(value)};
  if (ArrayBuffer.isView(value)) return Array.from(/** @type {any} */ (value));
  if (Array.isArray(value)) return value.map(encoded);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, encoded(each)]));
}

function base64(bytes) {
  const parts = [];
  for (let start = 0; start < bytes.length; start += CHUNK) {
    parts.push(String.fromCharCode(...bytes.subarray(start, start + CHUNK)));
  }
  return btoa(parts.join(''));
}

function decodedOutputs(signature, outputs) {
  const isText = (name) => signature.outputs[name]?.dtype === 'DT_STRING';
  const read = ([name, value]) => [name, isText(name) ? decoded(value) : value];
  return Object.fromEntries(Object.entries(outputs).map(read));
}

function decoded(value) {
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value?.b64 !== 'string') return value;
  return Uint8Array.from(atob(value.b64), (character) => character.charCodeAt(0));
}

function statusesOf(statuses) {
  return {statuses, faults: new Map([...statuses.entries()].filter(([, status]) => status))};
}

function readSignatures(definitions) {
  const names = Object.keys(definitions).filter((name) => !name.startsWith(INTERNAL)).sort();
  const read = ([name, info]) => [name, spec(info)];
  const specs = (infos) => Object.fromEntries(Object.entries(infos).map(read));
  return Object.fromEntries(names.map((name) => [
    name, {inputs: specs(definitions[name].inputs), outputs: specs(definitions[name].outputs)},
  ]));
}

function spec({dtype, tensor_shape: shape}) {
  const dims = (shape.dim ?? []).map(({size}) => (Number(size) < 0 ? null : Number(size)));
  return {dtype, shape: shape.unknown_rank ? null : dims};
}

function checkNames(name, signature, inputs) {
  const [wanted, given] = [signature.inputs, inputs].map((each) => Object.keys(each).sort().join(', '));
  if (wanted !== given) {
    throw new InputError(`inputs: ${name} takes ${wanted}; got ${given || 'none'}. Pass those, each once.`);
  }
}

function checkArray(name, rows) {
  if (Array.isArray(rows)) return rows;
  throw new InputError(`${name}: must be an array, one a row; got ${typeof rows}. Pass [value].`);
}

function checkPositive(numbers) {
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value > 0)) throw new InputError(`${name}: must be over 0; got ${value}. Pass more.`);
  }
}

/** Rows of different lengths as rows of one, at least `least`. */
function padded(name, rows, empty, least) {
  for (const row of checkArray(name, rows)) checkArray(`${name} of a row`, row);
  const width = Math.max(least, ...rows.map((row) => row.length));
  return rows.map((row) => [...row, ...Array(width - row.length).fill(empty)]);
}

function messageOf(text) {
  try {
    return JSON.parse(text).error ?? text;
  } catch {
    return text;
  }
}

function slept(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      signal.removeEventListener('abort', stopped);
      resolve(undefined);
    }
    function stopped() {
      clearTimeout(timer);
      reject(signal.reason);
    }
    signal.addEventListener('abort', stopped, {once: true});
  });
}
