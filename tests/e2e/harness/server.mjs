// Starts the real server on free ports and waits for its line "ready {json}".
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { serverProgram } from './paths.mjs';
import { SECRET } from './tokens.mjs';

const START_SECONDS = 10;
const LOG_LINES_MAX = 4000;
const WORKERS = 2; // rooms then lie on different ones

function bindUdp(port, address) {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(port, address, () => resolve(socket));
  });
}

function listenTcp(port, address) {
  return new Promise((resolve, reject) => {
    const listener = createServer();
    listener.once('error', reject);
    listener.listen(port, address, () => resolve(listener));
  });
}

// The first of as many ports in a row as there are workers, free for UDP and for TCP.
async function freeMediaPorts(address) {
  for (let tries = 0; tries < 50; ++tries) {
    const first = await bindUdp(0, address);
    const { port } = first.address();
    const ports = Array.from({ length: WORKERS }, (_, i) => port + i);
    const rest = await Promise.all([...ports.slice(1).map((one) => bindUdp(one, address)), ...ports.map((one) => listenTcp(one, address))]
      .map((opened) => opened.catch(() => null)));
    [first, ...rest].forEach((socket) => socket?.close());
    if (rest.every((socket) => socket)) return port;
  }
  throw new Error('no free media ports');
}

// This machine's first IPv4 address but loopback, or nothing: Firefox gathers no candidates on loopback and pairs no
// other with it, so it needs one.
export function ownAddress() {
  const all = Object.values(networkInterfaces()).flat();
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address;
}

// options: address (127.0.0.1), flags (more of them), through (a command in front, e.g. ["nsenter", …]), like (another one,
// which has ended: the same ports), mediaPort (in a namespace: where another server is there)
export async function startServer({ address = '127.0.0.1', flags = [], through = [], like, mediaPort: first = 20000 } = {}) {
  const mediaPort = like?.mediaPorts[0] ?? (through.length ? first : await freeMediaPorts(address));
  const http = like ? new URL(like.url).host : `${address}:0`;
  const command = [...through, fileURLToPath(serverProgram), '--dev', '--secret', SECRET, '--http', http,
    '--https', `${address}:0`, '--media-ip', address, '--media-port', String(mediaPort), '--workers', String(WORKERS), '--room-slice-size', '1', ...flags];
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  const server = {
    log,
    child,
    mediaPorts: Array.from({ length: WORKERS }, (_, i) => mediaPort + i),
    exited: new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code))),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5000);
      const how = await server.exited;
      clearTimeout(late);
      return how;
    },
  };
  const ready = await new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${why}: ${command.join(' ')}\n${log.slice(-30).join('\n')}`));
    const timer = setTimeout(() => { child.kill('SIGKILL'); fail(`no ready line in ${START_SECONDS} s`); }, START_SECONDS * 1000);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => fail(`the server ended with ${signal ?? code}`));
    for (const stream of [child.stdout, child.stderr]) {
      eachLine(stream, (line) => {
        log.push(line);
        if (log.length > LOG_LINES_MAX) log.shift();
        if (stream === child.stdout && line.startsWith('ready {')) {
          clearTimeout(timer);
          resolve(JSON.parse(line.slice('ready '.length)));
        }
      });
    }
  });
  server.url = `http://${ready.http}`;
  server.httpsUrl = ready.https ? `https://${ready.https}` : null;
  return server;
}

function eachLine(stream, take) {
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    lines.forEach(take);
  });
}
