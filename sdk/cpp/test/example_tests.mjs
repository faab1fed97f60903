// The examples of the C++ SDK against a real server: what each publishes, records or says is looked at. For examples.mjs,
// which has them from the tree, and for the tests of the package, which build them outside of it.
import { existsSync, readFileSync } from 'node:fs';
import { SECRET, makeToken, nowSeconds } from '../../../tests/e2e/harness/tokens.mjs';
import { LAYER_CHANGES, checkAdvance, checkSong, framesOf, levelAt, makeClip, makeTone, pictureNumbers, secondsOf, soundOf } from './media.mjs';
import { Program, check } from './suite.mjs';

const RECORDED_SECONDS = 5;

// programs: the examples' folder; tool: the program atm0s, as the other end; out: for files; env: of all of them.
export function exampleTests({ examples, tool, server, out, env = process.env }) {
  const example = (programs, name, room, peer, ...args) => {
    const token = makeToken({ room, peer, exp: nowSeconds() + 3600 });
    const program = new Program(`${examples}/${name}`, [server.url, room, peer, token, ...args], { env });
    programs.push(program);
    return program;
  };
  const join = (programs, room, peer, ...args) => {
    const flags = ['join', '--url', server.url, '--secret', SECRET, '--room', room, '--peer', peer, ...args];
    const program = new Program(tool, flags, { env });
    programs.push(program);
    return program;
  };
  const record = (programs, room, of, seconds = RECORDED_SECONDS, ...more) =>
    join(programs, room, 'eve', '--view', `${of}/video_main`, '--view', `${of}/audio_main`, '--out', `${out}/${room}`,
      '--for', String(seconds), ...more).succeeds();

  return {
    async 'echo: what a peer publishes comes back'(programs) {
      const echo = example(programs, 'echo', 'echo', 'echo', 'anna');
      const anna = join(programs, 'echo', 'anna', '--publish', 'test');
      await echo.says(/^echoes anna\/video_main$/m);
      await echo.says(/^echoes anna\/audio_main$/m);
      await record(programs, 'echo', 'echo');
      const pictures = checkAdvance(await pictureNumbers(`${out}/echo/echo-video_main.ivf`), { least: 60, mostTwice: LAYER_CHANGES });
      const song = checkSong(await soundOf(`${out}/echo/echo-audio_main.ogg`));
      // Nothing makes key frames now but that somebody comes who asks for one.
      await record(programs, 'echo', 'echo', 2);
      checkAdvance(await pictureNumbers(`${out}/echo/echo-video_main.ivf`), { least: 20, mostTwice: LAYER_CHANGES });
      await anna.stop();
      await echo.says(/^anna\/video_main has gone$/m);
      check((await echo.stop('SIGINT')) === 0, echo.text());
      return `${pictures}, ${song}`;
    },

    async 'publish_file: a clip and a tone, once'(programs) {
      await makeClip(`${out}/clip.ivf`, 3);
      await makeTone(`${out}/tone.wav`, 600, 3);
      const eve = join(programs, 'file', 'eve', '--view', 'all', '--out', `${out}/file`);
      await eve.says(/joined/);
      const publisher = example(programs, 'publish_file', 'file', 'bob', `${out}/clip.ivf`, `${out}/tone.wav`);
      const said = await publisher.succeeds();
      check(`${said.match(/\d+(?= frames)/g)}` === '75,150', said);
      await eve.says(/bob\/video_0 has gone/);
      check((await eve.stop()) === 0, eve.text());
      const sent = await framesOf(`${out}/clip.ivf`);
      const seen = await framesOf(`${out}/file/bob-video_0.ivf`);
      check(seen.length >= 40 && seen.every((frame) => sent.includes(frame)), `${seen.length} of ${sent.length} pictures are seen`);
      const sound = await soundOf(`${out}/file/bob-audio_1.ogg`);
      check(levelAt(sound, 600) > levelAt(sound, 900) + 30, '600 Hz is not heard');

      const missing = example(programs, 'publish_file', 'file', 'bob', `${out}/missing.ivf`);
      check((await missing.ended) === 1 && missing.error.includes('missing.ivf cannot be read'), missing.text());
      return `${seen.length} of ${sent.length} pictures`;
    },

    async 'bot and view_to_file: a recording with picture and song'(programs) {
      const bot = example(programs, 'bot', 'view', 'bot');
      await bot.says(/^connected$/m);
      const file = `${out}/seen.webm`;
      const said = await example(programs, 'view_to_file', 'view', 'eve', 'bot', file, String(RECORDED_SECONDS)).succeeds();
      await bot.says(/^eve has come\n(.*\n)*eve has gone$/m);
      check((await bot.stop()) === 0, bot.text());
      const pictures = checkAdvance(await pictureNumbers(file), { least: 70, mostTwice: LAYER_CHANGES });
      check(Number(/recorded (\d+) pictures/.exec(said)[1]) >= 70, said);
      const sound = await soundOf(file);
      check(secondsOf(sound) > RECORDED_SECONDS - 1.5, `${secondsOf(sound)} s of sound`);
      return `${pictures}, ${checkSong(sound)}`;
    },

    async 'mix_minus_listener: hears who is loud, and says who'(programs) {
      const tones = { anna: 400, bob: 1100 };
      for (const [peer, hz] of Object.entries(tones)) {
        await makeTone(`${out}/${peer}.wav`, hz, 2);
        await join(programs, 'mix', peer, '--publish', `${out}/${peer}.wav`, '--loop').says(/joined/);
      }
      const listener = example(programs, 'mix_minus_listener', 'mix', 'ear', `${out}/heard.wav`, '4');
      const said = await listener.succeeds();
      for (const peer of Object.keys(tones)) check(new RegExp(`^slot [012]: ${peer}-audio_main$`, 'm').test(said), said);
      const sound = await soundOf(`${out}/heard.wav`);
      check(readFileSync(`${out}/heard.wav`).subarray(0, 4).toString() === 'RIFF' && secondsOf(sound) > 2, `${secondsOf(sound)} s`);
      const beside = levelAt(sound, 700);
      const levels = Object.values(tones).map((hz) => levelAt(sound, hz));
      check(levels.every((level) => level > beside + 30), `${levels} dBFS, and ${beside} at 700 Hz`);
      return Object.entries(tones).map(([peer, hz], i) => `${peer} ${hz} Hz ${levels[i].toFixed(0)} dBFS`).join(', ');
    },

    async 'robot_camera: a key frame for who comes, and as many bits as there is room'(programs) {
      const robot = example(programs, 'robot_camera', 'robot', 'robot');
      await robot.says(/(^\d+ pictures.*\n){2}/m);
      const before = robot.out.length;
      await record(programs, 'robot', 'robot', RECORDED_SECONDS, '--latency-mode', 'ultra-low');
      check((await robot.stop()) === 0, robot.text());
      const seconds = (text) => [...text.matchAll(/^(\d+) pictures, (\d+) key frames, (\d+) of (\d+) kbit\/s$/gm)]
        .map(([, ...all]) => all.map(Number));
      const alone = seconds(robot.out.slice(0, before));
      const seen = seconds(robot.out.slice(before));
      const [idle, watched] = [alone.at(-1), seen[Math.min(3, seen.length - 1)]];
      check(idle[3] <= 110 && idle[2] <= 150, `while nobody views it makes ${idle[2]} of ${idle[3]} kbit/s`);
      check(watched[3] >= 400 && watched[3] <= 1500, `with a viewer it is to make ${watched[3]} kbit/s`);
      // So simple a picture does not need more.
      check(watched[2] > idle[2] * 1.2 && watched[2] <= watched[3], `it makes ${watched[2]} of ${watched[3]} kbit/s, ${idle[2]} alone`);
      check(seen.some(([, keys]) => keys > 0), `nobody was given a key frame:\n${robot.out}`);
      check(seen.slice(0, 5).every(([pictures]) => pictures >= 20), robot.out);
      const pictures = checkAdvance(await pictureNumbers(`${out}/robot/robot-video_main.ivf`), { least: 80, mostMissing: 0.3 });
      return `${pictures}; ${idle[2]} kbit/s alone, ${watched[2]} of ${watched[3]} kbit/s watched`;
    },

    async 'each says how it is called'(programs) {
      for (const name of ['echo', 'publish_file', 'view_to_file', 'bot', 'mix_minus_listener', 'robot_camera']) {
        check(existsSync(`${examples}/${name}`), `there is no ${examples}/${name}`);
        const program = new Program(`${examples}/${name}`, [], { env });
        programs.push(program);
        check((await program.ended) === 2 && program.error.startsWith(`usage: ${name} URL ROOM PEER TOKEN`), program.text());
        const refused = example(programs, name, 'refused', 'x', ...Array(name === 'view_to_file' ? 3 : { echo: 1, mix_minus_listener: 2 }[name] ?? 0)
          .fill('1'), ...(name === 'publish_file' ? [`${out}/missing.wav`] : []));
        if (name === 'publish_file') check((await refused.ended) === 1, refused.text());
        else await refused.stop();
      }
    },
  };
}
