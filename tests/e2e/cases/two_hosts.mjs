// A call over HTTPS from another host: the server behind a veth in a network namespace of its own. Needs root, sudo
// without a password, or user namespaces; where it has none of them it fails and says so.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { assert, test } from '../harness/test.mjs';

const PROGRAM = fileURLToPath(new URL('../harness/two_hosts_program.mjs', import.meta.url));

const WAYS = [
  { name: 'root', front: ['unshare', '--net'], usable: () => process.getuid() === 0 },
  { name: 'sudo -n', front: ['sudo', '-n', '--preserve-env=PATH', 'unshare', '--net'] },
  { name: 'user namespaces (unshare -Ur)', front: ['unshare', '--user', '--map-root-user', '--net'] },
];

// Can we make a namespace this way, and a veth pair in it?
function works(way) {
  if (way.usable && !way.usable()) return 'not root';
  const [program, ...args] = way.front;
  const tried = spawnSync(program, [...args, 'sh', '-c', 'ip link set lo up && ip link add probe0 type veth peer name probe1'],
    { encoding: 'utf8', env: { ...process.env, PATH: process.env.PATH + ':/usr/sbin:/sbin' } });
  return tried.status === 0 ? '' : (tried.error?.message ?? tried.stderr.trim() ?? 'failed');
}

test('the page over HTTPS from another host', { core: true, seconds: 60 }, async () => {
  const lacks = [];
  for (const way of WAYS) {
    const why = works(way);
    if (why) {
      lacks.push(`${way.name}: ${why}`);
      continue;
    }
    const [program, ...args] = way.front;
    const run = spawnSync(program, [...args, process.execPath, PROGRAM], { encoding: 'utf8', timeout: 55000,
      env: { ...process.env, PATH: process.env.PATH + ':/usr/sbin:/sbin' } });
    assert.equal(run.status, 0, `as ${way.name}: ${run.error?.message ?? ''}\n${run.stdout}${run.stderr}`);
    return;
  }
  throw new Error('no way to make a network namespace; lacking: ' + lacks.join('; '));
});
