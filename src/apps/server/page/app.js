// The development page: one room, camera and microphone, through the npm SDK (global Atm0s).
// Names come from other people: they reach the page through textContent alone.
'use strict';

const CONNECT_SECONDS = 12; // the server gives up after 10 s; then something on the way blocks the media port
const SPEAKING_DBOV = -45;

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);

let call = null; // {session, room, peer, local, tiles, views, timer} while in a call

function randomName() {
  const number = crypto.getRandomValues(new Uint16Array(1))[0];
  return 'guest-' + number.toString(36);
}

// ---- messages -------------------------------------------------------------------------------------------------------

function showNotice(text, link) {
  const notice = $('notice');
  notice.textContent = text;
  if (link) {
    const anchor = document.createElement('a');
    anchor.href = link;
    anchor.textContent = link;
    notice.append(' ', anchor);
  }
  notice.hidden = !text;
}

const showState = (text) => { $('call-state').textContent = text; };

// Browsers give cameras to secure pages only: https, or this machine's own http.
async function explainInsecurePage() {
  const text = 'Browsers open cameras and microphones only on https pages (or on localhost). You can still watch here. ' +
    'For a call, open the https address that the server printed';
  const https = await fetch('/dev/info').then((r) => r.json()).then((r) => r.data.https_port).catch(() => 0);
  if (!https) return showNotice(text + '.');
  const url = new URL(location.href);
  url.protocol = 'https:';
  url.port = String(https);
  showNotice(text + ' (the browser warns of its self-made certificate: accept it once):', url.href);
}

function explainCamera(error) {
  const reasons = {
    NotAllowedError: 'The browser was not allowed to use camera and microphone. Allow them in the address bar, or only watch.',
    NotFoundError: 'No camera and no microphone was found. You can still only watch.',
    NotReadableError: 'Camera or microphone is in use by another program.',
  };
  return reasons[error.name] || 'Camera and microphone could not be opened: ' + error.message;
}

function explainConnect(error) {
  const reasons = {
    INVALID_TOKEN: 'The server refused the token: it is wrong, expired, or for another room or name.',
    SERVER_ERROR: 'The server reported an internal error; its log says more.',
  };
  if (error instanceof TypeError) return 'The server does not answer. Is it still running?';
  return reasons[error.message] || 'The server refused the connection: ' + error.message;
}

// ---- tiles ----------------------------------------------------------------------------------------------------------

function tileOf(peer, mine) {
  let tile = call.tiles.get(peer);
  if (!tile) {
    tile = $('tile').content.firstElementChild.cloneNode(true);
    tile.dataset.peer = peer;
    tile.classList.toggle('mine', mine);
    tile.classList.add('dark');
    tile.querySelector('.name').textContent = mine ? peer + ' (you)' : peer;
    tile.querySelector('.initial').textContent = [...peer.trim()][0]?.toUpperCase() || '?';
    call.tiles.set(peer, tile);
    $('grid').append(tile);
  }
  $('alone').hidden = call.tiles.size > 1;
  return tile;
}

function dropTile(peer) {
  call.tiles.get(peer)?.remove();
  call.tiles.delete(peer);
  $('alone').hidden = call.tiles.size > 1;
}

// ---- other people's streams -----------------------------------------------------------------------------------------

function onStreamAdded(remote) {
  const key = remote.peerId + '/' + remote.name;
  if (!call || call.views.has(key)) return;
  const tile = tileOf(remote.peerId, false);
  const consumer = call.session.createConsumer(remote);
  const element = remote.kind === 'video' ? tile.querySelector('video') : document.createElement('audio');
  call.views.set(key, { remote, consumer, element });
  element.autoplay = true;
  element.srcObject = consumer.view('page');
  if (remote.kind === 'audio') {
    tile.append(element);
    consumer.on('audio_level', (level) => tile.classList.toggle('speaking', level > SPEAKING_DBOV));
  }
  onStreamUpdated(remote);
}

function onStreamUpdated(remote) {
  const tile = call?.tiles.get(remote.peerId);
  if (!tile) return;
  const active = remote.state.active !== false;
  tile.classList.toggle(remote.kind === 'video' ? 'dark' : 'silent', !active);
  if (!active && remote.kind === 'audio') tile.classList.remove('speaking');
}

function onStreamRemoved(remote) {
  if (!call) return;
  const key = remote.peerId + '/' + remote.name;
  const view = call.views.get(key);
  if (!view) return;
  call.views.delete(key);
  view.consumer.unview('page');
  view.element.srcObject = null;
  if (remote.kind === 'audio') view.element.remove();
  else call.tiles.get(remote.peerId)?.classList.add('dark');
  if (![...call.views.values()].some((other) => other.remote.peerId === remote.peerId)) dropTile(remote.peerId);
}

// ---- joining and leaving --------------------------------------------------------------------------------------------

async function openCamera() {
  const height = Number(query.get('height')) || 720;
  const video = { width: { ideal: Math.round(height * 16 / 9) }, height: { ideal: height } };
  const wishes = [{ audio: true, video }, { audio: true }, { video }];
  for (const wish of wishes) {
    try {
      return await navigator.mediaDevices.getUserMedia(wish);
    } catch (error) {
      if (error.name !== 'NotFoundError' || wish === wishes[wishes.length - 1]) throw error;
    }
  }
}

async function fetchToken(room, peer) {
  if (query.get('token') && room === query.get('room') && peer === query.get('peer')) return query.get('token');
  const answer = await fetch('/dev/token?' + new URLSearchParams({ room, peer })).then((response) => response.json());
  if (!answer.status) throw new Error(answer.error || 'no token');
  return answer.data.token;
}

function sendersOf(local) {
  const senders = [];
  if (local?.getAudioTracks().length) senders.push({ name: 'audio_main', kind: 'audio', stream: local });
  if (local?.getVideoTracks().length) senders.push({ name: 'video_main', kind: 'video', stream: local });
  return senders;
}

function showCall(room, peer, local) {
  $('lobby').hidden = true;
  $('call').hidden = false;
  $('call-room').textContent = room;
  $('call-count').textContent = '';
  $('invite').href = '/?' + new URLSearchParams({ room, peer: randomName() });
  $('toggle-audio').hidden = !local?.getAudioTracks().length;
  $('toggle-video').hidden = !local?.getVideoTracks().length;
  for (const id of ['toggle-audio', 'toggle-video']) $(id).setAttribute('aria-pressed', 'false');
  const tile = tileOf(peer, true);
  if (local?.getVideoTracks().length) {
    tile.classList.remove('dark');
    tile.querySelector('video').srcObject = local;
  }
}

function listen(session) {
  session.on('stream_added', onStreamAdded);
  session.on('stream_updated', onStreamUpdated);
  session.on('stream_removed', onStreamRemoved);
  session.on('room_stats', (stats) => { $('call-count').textContent = stats.peers + ' in the room'; });
  session.on('connected', () => { clearTimeout(call?.timer); showState(''); });
  session.on('reconnecting', () => showState('reconnecting…'));
  session.on('reconnected', () => showState(''));
  session.on('disconnected', () => leave('The connection to the server was lost.'));
  session.on('dc_state', (state) => { if (state === 'closed') leave('The server ended the session.'); });
}

async function join(withCamera) {
  const room = $('room').value, peer = $('peer').value;
  let local = null;
  showNotice('');
  for (const id of ['join-button', 'watch-button']) $(id).disabled = true;
  try {
    if (withCamera && !navigator.mediaDevices) return await explainInsecurePage();
    if (withCamera) local = await openCamera().catch((error) => { throw new Error(explainCamera(error)); });
    const session = await startSession(room, peer, local).catch((error) => { throw new Error(explainConnect(error)); });
    history.replaceState(null, '', '/?' + new URLSearchParams({ room, peer }));
    return session;
  } catch (error) {
    stopTracks(local);
    endCall();
    showNotice(error.message);
  } finally {
    for (const id of ['join-button', 'watch-button']) $(id).disabled = false;
  }
}

async function startSession(room, peer, local) {
  const token = await fetchToken(room, peer);
  const session = Atm0s.createSession(location.origin, {
    roomId: room, peerId: peer, token, senders: sendersOf(local), receivers: { audio: 3, video: 3 },
  });
  call = { session, room, peer, local, tiles: new Map(), views: new Map(), timer: 0 };
  listen(session);
  showCall(room, peer, local);
  showState('connecting…');
  call.timer = setTimeout(() => leave('No media came through. The server\'s UDP media port (20000 unless told ' +
    'otherwise) must be reachable from here: look at firewalls, and at the server\'s --media-ip.'), CONNECT_SECONDS * 1000);
  await session.connect();
  return session;
}

function stopTracks(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

function endCall() {
  if (!call) return;
  const ended = call;
  call = null; // first: what follows makes the session emit events
  clearTimeout(ended.timer);
  ended.session.disconnect();
  stopTracks(ended.local);
  for (const view of ended.views.values()) view.element.srcObject = null;
  $('grid').replaceChildren();
  $('call').hidden = true;
  $('lobby').hidden = false;
}

function leave(reason) {
  if (!call) return;
  endCall();
  showNotice(reason || '');
}

// Off means off: the track is taken from the sender, and the others are told that the stream is inactive.
function toggle(kind) {
  const button = $('toggle-' + kind);
  const off = button.getAttribute('aria-pressed') !== 'true';
  const sender = call?.session.getSender(kind, kind + '_main');
  if (!sender) return;
  sender.switch(off ? null : call.local);
  call.local.getTracks().filter((track) => track.kind === kind).forEach((track) => { track.enabled = !off; });
  button.setAttribute('aria-pressed', String(off));
  tileOf(call.peer, true).classList.toggle(kind === 'video' ? 'dark' : 'silent', off);
}

// ---- start ----------------------------------------------------------------------------------------------------------

$('room').value = query.get('room') || 'demo';
$('peer').value = query.get('peer') || randomName();
$('join').addEventListener('submit', (event) => { event.preventDefault(); join(true); });
$('watch-button').addEventListener('click', () => { if ($('join').reportValidity()) join(false); });
$('toggle-audio').addEventListener('click', () => toggle('audio'));
$('toggle-video').addEventListener('click', () => toggle('video'));
$('leave').addEventListener('click', () => leave());
addEventListener('pagehide', () => call?.session.disconnect());
if (!window.Atm0s) showNotice('The browser SDK did not load.');
else if (!navigator.mediaDevices) explainInsecurePage();
