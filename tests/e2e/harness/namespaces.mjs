// A network of hosts on this machine: the server in a network namespace of its own, and each client in another one behind
// a veth, with a userspace link (harness/link_program.mjs) that delays and loses datagrams, and a rate that the kernel
// holds (tc tbf). Needs root or user namespaces; where it has neither, opening fails and says why.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const SERVER_ADDRESS = '10.213.0.1';

const LINK_PROGRAM = fileURLToPath(new URL('link_program.mjs', import.meta.url));
const ENVIRONMENT = { ...process.env, PATH: process.env.PATH + ':/usr/sbin:/sbin' };

// How to come into a namespace that is held by a process, and how to make the first one.
const WAYS = [
  { name: 'root', make: ['unshare', '--net'], enter: ['nsenter', '--net'], usable: () => process.getuid() === 0 },
  { name: 'user namespaces', make: ['unshare', '--user', '--map-root-user', '--net'],
    enter: ['nsenter', '--preserve-credentials', '--user', '--net'], usable: () => true },
];

function run(command, input = '') {
  const options = { encoding: 'utf8', env: ENVIRONMENT, input };
  const { status, error, stdout, stderr } = spawnSync(command[0], command.slice(1), options);
  if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

// In front of a program that has to run when it is due, however busy the browsers are: a link that is late in bursts
// spoils what estimators measure. Only root may; else it runs as it comes.
const promptly = () => (spawnSync('chrt', ['--fifo', '1', 'true']).status === 0 ? ['chrt', '--fifo', '1'] : []);

// A namespace lives as long as a process in it: one that ends when its input is closed, at the latest with this program.
async function hold(command) {
  const child = spawn(command[0], [...command.slice(1), 'sh', '-c', 'echo there; exec cat'],
    { stdio: ['pipe', 'pipe', 'pipe'], env: ENVIRONMENT });
  let said = '';
  child.stderr.on('data', (chunk) => { said += chunk; });
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${command.join(' ')}: ${said.trim()}`)));
    child.stdout.once('data', resolve);
  });
  return child;
}

async function firstNamespace() {
  const lacks = [];
  for (const way of WAYS) {
    if (!way.usable()) continue;
    try {
      const holder = await hold(way.make);
      return { way, holder };
    } catch (error) {
      lacks.push(`${way.name}: ${error.message}`);
    }
  }
  throw new Error('no way to make a network namespace; ' + lacks.join('; '));
}

export class Network {
  // `ports`: of UDP, at which the server listens.
  static async open(ports) {
    const { way, holder } = await firstNamespace();
    const network = new Network();
    Object.assign(network, { way, ports, hosts: [], holders: [holder], folder: await mkdtemp(join(tmpdir(), 'atm0s-hosts-')) });
    network.front = network.enter(holder); // a command in front runs another on the server's host
    run([...network.front, 'ip', 'link', 'set', 'lo', 'up']);
    run([...network.front, 'ip', 'address', 'add', SERVER_ADDRESS + '/32', 'dev', 'lo']);
    const [program, ...args] = [...network.front, ...promptly(), process.execPath, LINK_PROGRAM, SERVER_ADDRESS, ...ports.map(String)];
    network.links = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'], env: ENVIRONMENT });
    return network;
  }

  enter(holder) {
    return [...this.way.enter, '--target', String(holder.pid)];
  }

  // A client's host, its links without delay, loss or cap yet.
  async addHost() {
    const number = this.hosts.length + 1;
    const holder = await hold([...this.front, 'unshare', '--net']);
    this.holders.push(holder);
    const near = `10.213.${number}.1`, far = `10.213.${number}.2`, device = `host${number}`;
    const host = new Host(this, this.enter(holder), { near, far, device });
    for (const command of [['link', 'add', device, 'type', 'veth', 'peer', 'name', 'up0', 'netns', String(holder.pid)],
      ['address', 'add', near + '/24', 'dev', device], ['link', 'set', device, 'up']]) {
      run([...this.front, 'ip', ...command]);
    }
    for (const command of [['link', 'set', 'lo', 'up'], ['address', 'add', far + '/24', 'dev', 'up0'],
      ['link', 'set', 'up0', 'up'], ['route', 'add', 'default', 'via', near]]) {
      run([...host.front, 'ip', ...command]);
    }
    this.hosts.push(host);
    host.shape();
    return host;
  }

  // Hosts reach each other too, and not the server alone.
  forward() {
    run([...this.front, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
  }

  async close() {
    this.links.stdin.end();
    for (const holder of this.holders.reverse()) holder.stdin.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}

class Host {
  constructor(network, front, { near, far, device }) {
    this.network = network;
    this.front = front;
    this.address = near; // where the server's ports are for it, through its link
    this.own = far;
    this.home = far; // the address that it was made with
    this.device = device;
  }

  // A program that runs on this host and ends at once; gives what it prints.
  run(...command) {
    return run([...this.front, ...command]);
  }

  // Rules of this host's own packet filter, as `nft -f` reads them.
  filter(rules) {
    run([...this.front, 'nft', '-f', '-'], rules);
  }

  // No packet of it arrives anywhere, and none at it, until it is mended; nobody is told, as behind a pulled plug.
  cut() {
    const losing = (device) => `table inet cut_${device} {
      chain in {
        type filter hook prerouting priority raw
        iifname "${device}" drop
      }
    }`;
    run([...this.network.front, 'nft', '-f', '-'], losing(this.device));
    this.filter(losing('up0'));
    this.isCut = true;
  }

  mend() {
    this.isCut = false;
    run([...this.network.front, 'nft', 'delete', 'table', 'inet', 'cut_' + this.device]);
    this.run('nft', 'delete', 'table', 'inet', 'cut_up0');
  }

  // A NAT before it: its UDP goes out with that address of its link and these ports ("30000-30099"). What was bound before
  // is forgotten, as by a NAT that was started anew.
  translate(address, ports) {
    if (address !== this.own) this.run('ip', 'address', 'replace', address + '/24', 'dev', 'up0');
    this.isTranslated = true;
    this.filter(`table ip nat
      delete table ip nat
      table ip nat {
        chain out {
          type nat hook postrouting priority srcnat
          meta l4proto udp snat to ${address}:${ports}
        }
      }`);
    this.run('conntrack', '--flush');
  }

  // Its address is another one of its link from now on: as when a laptop goes into another network.
  moveTo(address) {
    this.run('ip', '-4', 'address', 'flush', 'dev', 'up0');
    this.run('ip', 'address', 'add', address + '/24', 'dev', 'up0');
    this.run('ip', 'route', 'replace', 'default', 'via', this.address);
    this.own = address;
  }

  // As it was made.
  reset() {
    this.shape();
    this.cap();
    if (this.isCut) this.mend();
    this.filter('flush ruleset');
    if (this.own !== this.home || this.isTranslated) this.moveTo(this.home);
    this.isTranslated = false;
  }

  // Both directions of the link: {delay} in ms, {loss} from 0 to 1.
  shape({ delay = 0, loss = 0 } = {}) {
    this.network.links.stdin.write(JSON.stringify({ address: this.address, delay, loss }) + '\n');
  }

  // What comes from the server, in kbit/s; nothing: as much as it likes. The queue holds 300 ms, as the bottlenecks of
  // RFC 8867 do.
  cap(kbps) {
    const front = [...this.network.front, 'tc', 'qdisc'];
    if (this.isCapped) run([...front, 'del', 'dev', this.device, 'root']);
    this.isCapped = Boolean(kbps);
    if (kbps) run([...front, 'add', 'dev', this.device, 'root', 'tbf', 'rate', kbps + 'kbit', 'burst', '3000', 'latency', '300ms']);
  }

  // A file that runs `program` on this host.
  async wrap(program) {
    const file = join(this.network.folder, this.device);
    await writeFile(file, `#!/bin/sh\nexec ${this.front.join(' ')} -- ${program} "$@"\n`, { mode: 0o755 });
    return file;
  }
}
