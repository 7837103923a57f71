// Serves the playground, the LiteRT.js package and a bundle from localhost. `node server.js BUNDLE [PORT]`.

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));

const EXAMPLES = path.join(HERE, '../export/demonstration'); // a photograph and a voice, for the page's buttons

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm', // without it a browser does not compile while it downloads
};

/**
 * Starts a server on 127.0.0.1.
 *
 * @param {Object<string, string>} folders path prefix -> folder, looked through in order; '/' is this folder.
 * @param {number} port 0 for any free one.
 * @returns {Promise<import('node:http').Server>} once it listens.
 */
export function serve(folders, port = 0) {
  const mounts = Object.entries({ ...folders, '/examples/': EXAMPLES, '/': HERE });
  const server = createServer((request, response) => answer(request, response, mounts));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

export const urlOf = (server) => `http://localhost:${server.address().port}/`;

function answer(request, response, mounts) {
  const file = request.method === 'GET' && locate(new URL(request.url, 'http://localhost').pathname, mounts);
  if (!file) {
    response.writeHead(404).end();
    return;
  }
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': statSync(file).size, 'Cache-Control': 'no-cache' });
  createReadStream(file).pipe(response);
}

/** The file of a URL's path, or undefined; never one outside the folders. */
function locate(pathname, mounts) {
  const wanted = decoded(pathname === '/' ? '/index.html' : pathname);
  const [prefix, folder] = mounts.find(([prefix]) => wanted.startsWith(prefix));
  const file = path.resolve(folder, `./${wanted.slice(prefix.length)}`);
  const inside = file.startsWith(path.resolve(folder) + path.sep);
  return inside && existsSync(file) && statSync(file).isFile() ? file : undefined;
}

function decoded(pathname) {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname; // which no file is called
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [bundle, port] = process.argv.slice(2);
  const server = await serve({ '/bundle/': path.resolve(bundle) }, Number(port ?? 8000));
  console.log(`The playground is at ${urlOf(server)} (Ctrl+C ends it).`);
}
