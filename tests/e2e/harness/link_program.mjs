// The links between the server's host and its clients' hosts, in userspace: this kernel may have no netem. Runs on the
// server's host; at each client's near address it listens at the server's ports, and passes datagrams on after the
// link's delay, in order, without those that it loses. Started by harness/namespaces.mjs, ends with its input.
//   node link_program.mjs SERVER_ADDRESS PORT…       each line of input: {address, delay, loss}, both directions of a link
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const QUEUE_MAX = 20000; // datagrams of one direction; more are dropped

const [serverAddress, ...ports] = process.argv.slice(2);
const links = new Map(); // near address -> link

// Numbers from 0 to 1 of a seed ("mulberry32"): each run loses the same.
function seeded(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// One direction. What is under way keeps its order when the delay changes.
class Direction {
  constructor(link, seed) {
    this.link = link;
    this.random = seeded(seed);
    this.queue = [];
    this.timer = null;
  }

  carry(send) {
    if (this.link.loss > 0 && this.random() < this.link.loss) return;
    if (this.link.delay === 0 && this.queue.length === 0) return send();
    if (this.queue.length >= QUEUE_MAX) return;
    this.queue.push({ due: performance.now() + this.link.delay, send });
    this.timer ??= setTimeout(() => this.deliver(), this.link.delay);
  }

  deliver() {
    const now = performance.now();
    while (this.queue.length > 0 && this.queue[0].due <= now + 0.5) this.queue.shift().send();
    this.timer = this.queue.length > 0 ? setTimeout(() => this.deliver(), Math.max(1, this.queue[0].due - now)) : null;
  }
}

const ignore = () => {};

// At one port of one link: each client socket that sends gets a socket of its own towards the server.
function listen(link, port) {
  const clients = new Map();
  const near = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  near.on('error', (error) => { console.error(`link ${link.address}:${port}: ${error.message}`); process.exit(1); });
  near.on('message', (datagram, from) => {
    const key = from.address + ':' + from.port;
    let far = clients.get(key);
    if (!far) {
      far = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
      far.on('error', ignore);
      far.on('message', (reply) => link.down.carry(() => near.send(reply, from.port, from.address, ignore)));
      clients.set(key, far);
    }
    link.up.carry(() => far.send(datagram, port, serverAddress, ignore));
  });
  near.bind(port, link.address);
}

function setLink({ address, delay, loss }) {
  let link = links.get(address);
  if (!link) {
    link = { address, delay, loss };
    link.up = new Direction(link, links.size * 2 + 1);
    link.down = new Direction(link, links.size * 2 + 2);
    links.set(address, link);
    for (const port of ports) listen(link, Number(port));
  }
  Object.assign(link, { delay, loss });
}

createInterface({ input: process.stdin }).on('line', (line) => setLink(JSON.parse(line))).on('close', () => process.exit(0));
