// What is in media files, by ffmpeg: the numbers of test pictures, how high the song is, how loud tones are; and files to
// publish.
import { execFile } from 'node:child_process';
import { check, run } from './suite.mjs';

/** Of a picture that is there twice (LAYER_CHANGES), where the file has milliseconds: the muxer of what we read says it. */
const TWO_AT_ONE_TIME = /^.*Application provided invalid, non monotonically increasing dts to muxer in stream 0: (\d+) >= \1\n/gm;

// What ffmpeg makes of a file, as bytes; an error when it complains of anything else.
function decode(args) {
  return new Promise((resolve, reject) => {
    execFile('ffmpeg', ['-v', 'repeat+error', '-nostdin', ...args, '-'], { encoding: 'buffer', maxBuffer: 1 << 28, timeout: 60_000 },
      (error, stdout, stderr) => {
        const complaint = stderr.toString().replace(TWO_AT_ONE_TIME, '');
        if (error || complaint) reject(new Error(`ffmpeg ${args.join(' ')}: ${complaint}${error?.code ?? ''}`));
        else resolve(stdout);
      });
  });
}

/** Of a viewer in the first seconds: from the lowest of three layers upwards, with one more try. */
export const LAYER_CHANGES = 4;

// What the last rows of a test picture say (examples/test_source/test_picture.h); null: nothing that checks.
function numberOf(row) {
  let code = 0;
  for (const pixel of row) code = code * 2 + (pixel > 125 ? 1 : 0);
  const number = Math.floor(code / 256);
  const sum = (number >> 16) + (number >> 8) + number + 0x5a;
  return (sum & 0xff) === code % 256 ? number : null;
}

// The number of each picture of a file, in any size.
export async function pictureNumbers(file) {
  const rows = await decode(['-i', file, '-map', '0:v', '-vf', 'crop=iw:ih/15:0:ih*14/15,scale=32:1:flags=area,format=gray',
    '-fps_mode', 'passthrough', '-enc_time_base', '-1', '-f', 'rawvideo']);
  return Array.from({ length: rows.length / 32 }, (_, i) => numberOf(rows.subarray(i * 32, i * 32 + 32)));
}

// Nearly all read, each higher than the one before, and nearly none missing between them: that many pictures. A viewer who is
// given a higher layer may see the picture at which that begins twice: `mostTwice`.
export function checkAdvance(numbers, { least, mostMissing = 0.2, mostTwice = 0 }) {
  const read = numbers.filter((number) => number !== null);
  check(numbers.length >= least, `${numbers.length} pictures, ${least} are the least`);
  check(read.length >= numbers.length * 0.97, `${read.length} of ${numbers.length} pictures have a number`);
  const back = read.findIndex((number, i) => i > 0 && number < read[i - 1]);
  check(back < 0, `picture ${read[back]} comes after ${read[back - 1]}`);
  const twice = read.filter((number, i) => i > 0 && number === read[i - 1]);
  check(twice.length <= mostTwice, `twice: ${twice}`);
  const missing = 1 - (read.length - twice.length) / (read.at(-1) - read[0] + 1);
  check(missing <= mostMissing, `${(missing * 100).toFixed(0)} % of the pictures are missing: ${read}`);
  return `${numbers.length} pictures`;
}

export async function largestWidth(file) {
  const lines = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=width', '-of', 'csv=p=0', file]);
  return Math.max(...lines.trim().split('\n').map((line) => parseInt(line, 10)));
}

export const framesOf = async (file) =>
  (await decode(['-i', file, '-map', '0:v', '-fps_mode', 'passthrough', '-enc_time_base', '-1', '-f', 'framemd5'])).toString()
    .split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(',').at(-1).trim());

// --- sound --------------------------------------------------------------------------------------------------------------

const RATE = 16_000;

// One channel, -1 to 1.
export async function soundOf(file) {
  const bytes = await decode(['-i', file, '-map', '0:a', '-ac', '1', '-ar', String(RATE), '-f', 's16le']);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(i * 2) / 32768);
}

export const secondsOf = (sound) => sound.length / RATE;

const rms = (sound) => Math.sqrt(sound.reduce((sum, value) => sum + value * value, 0) / Math.max(sound.length, 1));
export const decibels = (sound) => 20 * Math.log10(rms(sound) + 1e-9);

// How loud that frequency is, dBFS (Goertzel).
export function levelAt(sound, hz) {
  const step = 2 * Math.cos((2 * Math.PI * hz) / RATE);
  let [last, before] = [0, 0];
  for (const value of sound) [last, before] = [value + step * last - before, last];
  const power = last * last + before * before - step * last * before;
  return 10 * Math.log10((2 * power) / sound.length ** 2 + 1e-18);
}

/** Of examples/test_source/test_song.h. */
const NOTES = [196, 220, 246.94, 293.66, 329.63, 392];

// The period at which a piece is most like itself, Hz.
function pitchOf(piece) {
  const likeness = (lag) => {
    let sum = 0;
    for (let i = 0; i + lag < piece.length; ++i) sum += piece[i] * piece[i + lag];
    return sum / (piece.length - lag);
  };
  const lags = Array.from({ length: RATE / 150 - RATE / 450 }, (_, i) => Math.floor(RATE / 450) + i);
  const all = lags.map(likeness);
  const best = Math.max(...all);
  // The shortest of those that are as good: twice the period is as much like itself.
  const at = all.findIndex((value, i) => value > best * 0.9 && value >= (all[i + 1] ?? 0));
  return RATE / lags[at];
}

// The share of what is sung that is a note of the song, and how many different ones.
export function checkSong(sound) {
  const size = RATE / 10;
  const heard = new Set();
  let sung = 0;
  let right = 0;
  for (let at = 0; at + size <= sound.length; at += size) {
    const piece = sound.subarray(at, at + size);
    if (decibels(piece) < -40) continue;
    ++sung;
    const pitch = pitchOf(piece);
    const note = NOTES.find((hz) => Math.abs(pitch / hz - 1) < 0.03);
    if (note) ++right;
    if (note) heard.add(note);
  }
  check(sung > 10, `${sung} tenths of a second are sung`);
  check(right > sung * 0.75, `${right} of ${sung} tenths of a second are notes of the song`);
  check(heard.size >= 2, `notes: ${[...heard]}`);
  return `${heard.size} notes`;
}

// --- files to publish ---------------------------------------------------------------------------------------------------

export async function makeClip(file, seconds) {
  await run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc=size=320x180:rate=25:duration=${seconds}`, '-c:v', 'libvpx',
    '-b:v', '300k', '-g', '25', '-deadline', 'realtime', '-cpu-used', '8', '-auto-alt-ref', '0', file]);
}

export async function makeTone(file, hz, seconds) {
  await run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `sine=frequency=${hz}:sample_rate=48000:duration=${seconds}`,
    '-filter:a', 'volume=3', '-c:a', 'pcm_s16le', file]);
}
