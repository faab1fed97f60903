// coturn as docs/guides/firewalls.md sets it up, on a host of its own (harness/namespaces.mjs), and browsers that trust its
// certificate. The guide's addresses are replaced, its name is not: whoever asks for it gets the relay's.
import { spawn, execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium, startBrowser } from './browser.mjs';
import { block } from './guide.mjs';
import { SERVER_ADDRESS } from './namespaces.mjs';
import { until } from './test.mjs';

export const RELAY_NAME = 'turn.example.net';
export const RELAY_SECRET = 'the-secret-of-the-relay-and-the-server';

const GUIDE = 'firewalls.md';

// As Debian's unit with what the guide adds to it: a user with no right but to listen on low ports. Only root can.
const AS_SERVICE = ['setpriv', '--reuid', 'turnserver', '--regid', 'turnserver', '--clear-groups', '--no-new-privs',
  '--inh-caps=-all,+net_bind_service', '--ambient-caps=-all,+net_bind_service', '--bounding-set=-all,+net_bind_service'];

export class Relay {
  static async start(host) {
    const relay = Object.assign(new Relay(), { host, log: [], folder: await mkdtemp(join(tmpdir(), 'atm0s-relay-')) });
    await chmod(relay.folder, 0o755);
    relay.makeCertificate();
    await writeFile(relay.file('hosts'), `${host.own} ${RELAY_NAME}\n`);
    await writeFile(relay.file('turnserver.conf'), relay.translate(await block(GUIDE, 'ini', 'use-auth-secret'))
      .replace(/^syslog$/m, 'log-file=stdout').replaceAll('/etc/coturn/', relay.folder + '/'));
    const [program, ...args] = [...host.front, ...(host.network.way.name === 'root' ? AS_SERVICE : []),
      'turnserver', '-c', relay.file('turnserver.conf'), '--pidfile='];
    relay.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    relay.child.once('error', (error) => relay.log.push(error.message));
    for (const stream of [relay.child.stdout, relay.child.stderr]) stream.on('data', (chunk) => relay.log.push(String(chunk)));
    await until('the relay listens', () => host.run('ss', '-Hltn', 'sport = :443')).catch((error) => {
      throw new Error(`${error.message}\n${relay.log.join('')}`);
    });
    return relay;
  }

  file(name) { return join(this.folder, name); }

  // The guide's text with the addresses and the secret that there are here.
  translate(text) {
    return text.replaceAll('198.51.100.7', this.host.own).replaceAll('192.0.2.10', SERVER_ADDRESS)
      .replaceAll('REPLACE-WITH-THE-SECRET', RELAY_SECRET);
  }

  makeCertificate() {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', '/CN=' + RELAY_NAME, '-addext', 'subjectAltName=DNS:' + RELAY_NAME, '-keyout', this.file('key.pem'),
      '-out', this.file('cert.pem')], { stdio: 'pipe' });
    execFileSync('chmod', ['a+r', this.file('key.pem')]); // for the relay's user; nobody else needs it
  }

  // A browser on that host that finds the relay, and trusts its certificate as one that a company has installed.
  async openBrowser(host) {
    const store = this.file('.pki/nssdb');
    await mkdir(store, { recursive: true });
    for (const what of [['-N', '--empty-password'], ['-A', '-t', 'C,,', '-n', 'relay', '-i', this.file('cert.pem')]]) {
      execFileSync('certutil', ['-d', 'sql:' + store, ...what], { stdio: 'pipe' });
    }
    return startBrowser([`--host-resolver-rules=MAP ${RELAY_NAME} ${this.host.own}`], await host.wrap(findChromium()),
      { HOME: this.folder });
  }

  // What the guide's check prints on that host, line by line.
  async check(host) {
    await writeFile(this.file('check.sh'), this.translate(await block(GUIDE, 'sh', 'relays_to')));
    const script = `mount --bind ${this.file('hosts')} /etc/hosts && exec sh ${this.file('check.sh')} 2>&1`;
    return host.run('env', 'ATM0S_TURN_SECRET=' + RELAY_SECRET, 'SSL_CERT_FILE=' + this.file('cert.pem'),
      'unshare', '--mount', 'sh', '-c', script).split('\n');
  }

  async close() {
    this.child.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}
