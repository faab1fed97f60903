import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RemoteStreams } from './remote.js';

const event = (
  peer: string,
  stream: string,
  state: object | null = { scaling: 'single', layers: [], status: 'connected', active: true },
) => ({ peer, peer_hash: 1000 + peer.length, kind: 'video', stream, state }) as Parameters<RemoteStreams['put']>[0];

function start() {
  const told: string[] = [];
  const remotes = new RemoteStreams((change, remote) => told.push(`${change} ${remote.peerId}/${remote.name}`));
  return { remotes, told };
}

test('what is added twice is updated, and only when something changed', () => {
  const { remotes, told } = start();
  remotes.put(event('bob', 'v'));
  remotes.put(event('bob', 'v'));
  const remote = remotes.find('bob', 'v');
  remotes.put(event('bob', 'v', { active: false }));
  assert.deepEqual(told, ['added bob/v', 'updated bob/v']);
  assert.equal(remotes.find('bob', 'v'), remote);
  assert.equal(remotes.findByHash('1003', 'v'), remote);
  assert.equal(remote?.peerHash, '1003');
});

test('names with any characters are told apart', () => {
  const { remotes } = start();
  remotes.put(event('a', 'b/c'));
  remotes.put(event('a/b', 'c'));
  remotes.put(event('a","b', 'c'));
  assert.equal(remotes.list().length, 3);
});

test('a stream that goes is closed first, then told', () => {
  const { remotes, told } = start();
  remotes.put(event('bob', 'v'));
  const remote = remotes.find('bob', 'v')!;
  remote.on('closed', () => told.push(`closed, ${remote.state.status}`));
  remotes.remove('bob', 'v');
  remotes.remove('bob', 'v');
  assert.deepEqual(told, ['added bob/v', 'closed, disconnected', 'removed bob/v']);
});

test('after a new connection only those are gone that it does not tell of', () => {
  const { remotes, told } = start();
  remotes.put(event('bob', 'v'));
  remotes.put(event('eve', 'v'));
  remotes.markStale();
  remotes.put(event('bob', 'v'));
  remotes.put(event('new', 'v'));
  remotes.sweep();
  remotes.sweep();
  assert.deepEqual(told, ['added bob/v', 'added eve/v', 'added new/v', 'removed eve/v']);
});

test('a peer of the same name that is another takes its place', () => {
  const { remotes, told } = start();
  remotes.put(event('bob', 'v'));
  remotes.put({ ...event('bob', 'v'), kind: 'audio' });
  assert.deepEqual(told, ['added bob/v', 'removed bob/v', 'added bob/v']);
});

test('states of the wire that are unknown or missing have a sense', () => {
  const { remotes } = start();
  remotes.put(event('bob', 'v', { scaling: 'fractal', layers: 'x', status: 7, label: 1 }));
  remotes.put(event('eve', 'v', null));
  for (const remote of remotes.list())
    assert.deepEqual(remote.state, { scaling: 'single', layers: [], status: 'connected', active: true });
});
