// The tool atm0s as a user runs it, against the real server, each test in a room of its own.
//   node sdk/cpp/test/tool.mjs [part of a name…]      ATM0S_BIN: the folder of the programs, else build/release/bin
// The last line is JSON with the counts, for ./dev.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startServer } from '../../../tests/e2e/harness/server.mjs';
import { SECRET } from '../../../tests/e2e/harness/tokens.mjs';
import { LAYER_CHANGES, checkAdvance, checkSong, framesOf, largestWidth, levelAt, makeClip, makeTone, pictureNumbers, soundOf } from './media.mjs';
import { Program, check, close, run, runTests, sleep } from './suite.mjs';

const tree = fileURLToPath(new URL('../../../', import.meta.url));
const bin = process.env.ATM0S_BIN ?? `${tree}build/release/bin`;
const out = mkdtempSync(`${tmpdir()}/atm0s-tool-`);
const server = await startServer();

// One command with the server's secret; `programs`: of the test, which ends it.
const tool = (programs, ...args) => {
  const program = new Program(`${bin}/atm0s`, ['--url', server.url, ...args], { env: { ...process.env, ATM0S_SECRET: SECRET } });
  programs.push(program);
  return program;
};

// What it says when it fails, as it has to: with code 1, and in one line.
async function fails(...args) {
  const program = new Program(`${bin}/atm0s`, args);
  const how = await program.ended;
  check(how === 1, `${program.command} ended with ${how}:\n${program.text()}`);
  check(program.out === '' && /^atm0s: [^\n]+\n$/.test(program.error), `it says:\n${program.text()}`);
  return program.error;
}

const tests = {
  async 'join publishes the test picture and the song, and records them'(programs) {
    const anna = tool(programs, 'join', '--room', 'test', '--peer', 'anna', '--publish', 'test');
    await anna.says(/joined room "test" as "anna"/);
    const eve = tool(programs, 'join', '--room', 'test', '--peer', 'eve', '--view', 'all', '--out', `${out}/test`, '--for', '6');
    await eve.succeeds();
    check(/^viewing anna\/video_main$/m.test(eve.error), eve.error);
    check(/^sent 0 frames, received [1-9]\d+ of 2 streams$/m.test(eve.error), eve.error);
    check(eve.out === '' && !eve.error.includes('\r'), 'no plain lines');
    const files = readdirSync(`${out}/test`).sort();
    check(`${files}` === 'anna-audio_main.ogg,anna-video_main.ivf', `files: ${files}`);
    const pictures = checkAdvance(await pictureNumbers(`${out}/test/anna-video_main.ivf`), { least: 90, mostTwice: LAYER_CHANGES });
    const width = await largestWidth(`${out}/test/anna-video_main.ivf`);
    check(width === 640, `the widest picture has ${width} columns`);
    return `${pictures}, ${checkSong(await soundOf(`${out}/test/anna-audio_main.ogg`))}`;
  },

  async 'join publishes files, and what is recorded is what they are'(programs) {
    await makeClip(`${out}/clip.ivf`, 3);
    await makeTone(`${out}/tone.wav`, 440, 3);
    const eve = tool(programs, 'join', '--room', 'files', '--peer', 'eve', '--view', 'bob/video_main', '--view', 'bob/audio_main',
      '--out', `${out}/files`);
    await eve.says(/joined/);
    const bob = tool(programs, 'join', '--room', 'files', '--peer', 'bob', '--publish', `${out}/clip.ivf`, '--publish', `${out}/tone.wav`,
      '--for', '4.5');
    await bob.succeeds();
    check(/^sent [12]\d\d frames, received 0 of 0 streams$/m.test(bob.error), bob.error);
    await eve.says(/bob\/video_main has gone/);
    check((await eve.stop('SIGINT')) === 0, `interrupted, it does not end with 0:\n${eve.text()}`);
    const sent = await framesOf(`${out}/clip.ivf`);
    const seen = await framesOf(`${out}/files/bob-video_main.ivf`);
    const others = seen.filter((frame) => !sent.includes(frame));
    check(seen.length >= 40 && !others.length, `${seen.length} of ${sent.length} pictures are seen, ${others.length} of them others`);
    const sound = await soundOf(`${out}/files/bob-audio_main.ogg`);
    const [tone, beside] = [levelAt(sound, 440), levelAt(sound, 700)];
    check(tone > beside + 30, `440 Hz: ${tone.toFixed(0)} dB, 700 Hz: ${beside.toFixed(0)} dB`);
    return `${seen.length} of ${sent.length} pictures, 440 Hz with ${tone.toFixed(0)} dBFS`;
  },

  async 'a file begins again with --loop'(programs) {
    await makeTone(`${out}/short.wav`, 440, 0.4);
    const bob = tool(programs, 'join', '--room', 'loop', '--peer', 'bob', '--publish', `${out}/short.wav`, '--loop', '--for', '3');
    await bob.succeeds();
    check(Number(/sent (\d+) frames[^]*$/.exec(bob.error.trim().split('\n').at(-1))?.[1]) > 60, bob.error);
  },

  async 'rooms, stats, ping and doctor tell of a room'(programs) {
    const at = ['--room', 'told', '--peer'];
    await tool(programs, 'join', ...at, 'anna', '--publish', 'test').says(/sent [1-9]/);
    const rooms = await tool(programs, 'rooms').succeeds();
    check(/^told: 1 peers, 2 streams$/m.test(rooms), rooms);
    const room = JSON.parse(await tool(programs, 'rooms', '--json').succeeds()).rooms.find((one) => one.room === 'told');
    check(room.peers === 1 && room.streams === 2, JSON.stringify(room));

    const told = tool(programs, 'stats', '--json', ...at, 'eve', '--for', '2');
    await told.succeeds();
    const stats = JSON.parse(told.out);
    check(stats.transport.dtlsState === 'connected', told.out);
    const video = stats.inbound.find((one) => one.kind === 'video' && one.framesReceived > 20);
    const audio = stats.inbound.find((one) => one.kind === 'audio' && one.packetsReceived > 50);
    check(video?.codec.includes('VP8') && audio, told.out);

    const times = (await tool(programs, 'ping', ...at, 'eve', '--count', '3').succeeds()).trim().split('\n');
    check(times.length === 3 && times.every((line) => /^\d+\.\d\d ms$/.test(line)), `${times}`);
    const doctor = await tool(programs, 'doctor', ...at, 'eve').succeeds();
    const found = [...doctor.matchAll(/^ok {4}(\w+(?: \w+)?) +\S/gm)].map(([, what]) => what);
    check(`${found}` === 'server,token,session,media path,ping', doctor);
    check(doctor.includes('udp to 127.0.0.1:'), doctor);
  },

  async 'a token opens its room, and no other'(programs) {
    const token = (await tool(programs, 'token', '--room', 'locked', '--peer', 'anna', '--no-publish').succeeds()).trim();
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    check(claims.room === 'locked' && claims.publish === false && claims.subscribe === true, JSON.stringify(claims));
    const given = ['--token', token, '--peer', 'anna', '--for', '0.5'];
    await tool(programs, 'join', '--room', 'locked', ...given).succeeds();
    const other = await fails('--url', server.url, 'join', '--room', 'other', ...given);
    check(/token/i.test(other), other);
    const broken = await fails('--url', server.url, 'join', '--token', 'no.token.atall', '--for', '1');
    check(/token/i.test(broken), broken);
    check(await fails('--url', server.url, '--secret', 'another', 'join', '--for', '1')
      .then((said) => said.includes('is --secret the server\'s?')), 'a wrong secret is not told');
  },

  async 'without a secret a server in dev mode gives the token'() {
    const said = await run(`${bin}/atm0s`, ['--url', server.url, 'ping', '--room', 'a b&c', '--peer', 'd%e', '--count', '1']);
    check(/ ms$/m.test(said), said);
  },

  async 'what cannot work is told in one line'() {
    const nobody = await fails('join', '--url', 'http://127.0.0.1:1', '--for', '1');
    check(nobody.includes('connection refused by 127.0.0.1:1'), nobody);
    const there = (name, ...more) => fails('--url', server.url, 'join', '--for', '1', '--publish', `${out}/${name}`, ...more);
    check((await there('missing.ivf')).includes('missing.ivf cannot be read'), 'a file that is not there');
    writeFileSync(`${out}/film.mp4`, 'film');
    check((await there('film.mp4')).includes('.ivf, .ogg, .opus or .wav'), 'a file that cannot be published');
    writeFileSync(`${out}/broken.ivf`, 'DKIF and then nothing that is IVF');
    check((await there('broken.ivf')).includes('broken.ivf: byte 4: an unknown version'), 'a broken file');
    check((await there('broken.ivf', '--publish', 'test', '--publish', 'test')).includes('broken.ivf'), 'a broken file beside others');
    const flag = new Program(`${bin}/atm0s`, ['join', '--publisch', 'test']);
    check((await flag.ended) > 1 && flag.error.includes('--publisch'), flag.text());
  },

  async '--rejoin waits for a server, --quiet says nothing but errors'(programs) {
    const like = await startServer();
    await like.stop();
    const anna = new Program(`${bin}/atm0s`, ['join', '--url', like.url, '--rejoin', '--quiet', '--publish', 'test', '--peer', 'anna']);
    programs.push(anna);
    await anna.says(/connection refused/);
    const again = await startServer({ like });
    programs.push(again);
    const counted = async () => (await run(`${bin}/atm0s`, ['--url', again.url, '--secret', SECRET, 'rooms'])).trim();
    for (const end = Date.now() + 10_000; (await counted()) !== 'demo: 1 peers, 2 streams'; await sleep(200)) {
      check(Date.now() < end, `rooms: ${await counted()}`);
    }
    check((await anna.stop()) === 0, anna.text());
    check(!/joined|sent/.test(anna.text()), anna.text());
    check((await counted()) === '', `it has not left: ${await counted()}`);
  },

  async './dev run has a bot in room demo, and takes it along'(programs) {
    const free = await startServer();
    await free.stop();
    const http = new URL(free.url).host;
    const flags = ['run', '--http', http, '--https', 'off', '--media-ip', '127.0.0.1', '--media-port', String(free.mediaPorts[0]),
      '--workers', '1', '--secret', 'another-secret-than-that-of-dev-mode'];
    const rooms = async () => (await run(`${bin}/atm0s`, ['--url', `http://${http}`, '--secret', flags.at(-1), 'rooms'])).trim();
    const dev = new Program(`${tree}dev`, flags);
    programs.push(dev);
    await dev.says(/^ready \{/m, 60);
    for (const end = Date.now() + 10_000; (await rooms()) !== 'demo: 1 peers, 2 streams'; await sleep(200)) {
      check(Date.now() < end, `rooms: ${await rooms()}\n${dev.text()}`);
    }
    await run(`${bin}/atm0s`, ['--url', `http://${http}`, 'join', '--peer', 'eve', '--view', 'bot/video_main', '--for', '3', '--out', `${out}/bot`]);
    const pictures = checkAdvance(await pictureNumbers(`${out}/bot/bot-video_main.ivf`), { least: 25, mostTwice: LAYER_CHANGES });
    const how = await dev.stop();
    check(how === 0, `it ended with ${how}:\n${dev.text()}`);
    const left = await run('pgrep', ['-f', `atm0s join --url http://${http}`]).catch(() => '');
    check(left === '', `the bot goes on: ${left}`);

    const alone = new Program(`${tree}dev`, [...flags, '--no-bot']);
    programs.push(alone);
    await alone.says(/^ready \{/m, 60);
    await sleep(1500);
    check((await rooms()) === '', `with --no-bot: ${await rooms()}`);
    return pictures;
  },
};

check(existsSync(`${bin}/atm0s`), `there is no ${bin}/atm0s`);
const counts = await runTests(tests, process.argv.slice(2));
await server.stop();
rmSync(out, { recursive: true, force: true });
close('tool', counts);
