// Clips that ffmpeg makes, one for each codec, and what it says of recordings: whether they decode, how near they are to
// their source, which tone they have.
import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { outFolder } from './paths.mjs';

const run = promisify(execFile);
const ffmpeg = (...args) => run('ffmpeg', ['-hide_banner', '-nostdin', '-y', ...args.map(String)], { maxBuffer: 64 << 20, encoding: 'buffer' });

export const FPS = 25;
const REALTIME = ['-b:v', '600k', '-g', FPS, '-lag-in-frames', 0];
const ENCODERS = {
  VP8: ['-c:v', 'libvpx', ...REALTIME, '-deadline', 'realtime', '-cpu-used', 8, '-auto-alt-ref', 0],
  VP9: ['-c:v', 'libvpx-vp9', ...REALTIME, '-deadline', 'realtime', '-cpu-used', 8, '-auto-alt-ref', 0],
  AV1: ['-c:v', 'libaom-av1', ...REALTIME, '-usage', 'realtime', '-cpu-used', 8],
  // Access units begin with delimiters: so a reader that knows no more of H264 finds them.
  H264: ['-c:v', 'libx264', '-profile:v', 'baseline', '-b:v', '600k', '-g', FPS, '-bf', 0, '-preset', 'veryfast',
    '-bsf:v', 'h264_metadata=aud=insert'],
};

export async function outFile(name) {
  await mkdir(outFolder, { recursive: true });
  return fileURLToPath(new URL(name, outFolder));
}

export const suffixOf = (codec) => ({ OPUS: 'ogg', H264: 'h264' })[codec] ?? 'ivf';

// ffmpeg's test picture, with a clock and a counter in it.
export async function makeClip(codec, seconds) {
  const file = await outFile(`clip-${codec}.${suffixOf(codec)}`);
  await ffmpeg('-f', 'lavfi', '-i', `testsrc=size=320x180:rate=${FPS}`, '-t', seconds, '-pix_fmt', 'yuv420p', ...ENCODERS[codec], file);
  return file;
}

export async function makeTone(hertz, seconds) {
  const file = await outFile(`tone-${hertz}.ogg`);
  await ffmpeg('-f', 'lavfi', '-i', `sine=frequency=${hertz}:sample_rate=48000`, '-t', seconds, '-ac', 2, '-c:a', 'libopus', '-b:a', '48k', '-frame_duration', 20, file);
  return file;
}

export async function makePicture(width, height) {
  const file = await outFile('picture.png');
  await ffmpeg('-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=1`, '-frames:v', 1, file);
  return { file, url: 'data:image/png;base64,' + (await readFile(file)).toString('base64') };
}

// The frames as they are, whatever their times are: else ffmpeg doubles and drops some.
const inputOf = (file) => ['-r', FPS, ...(file.endsWith('.h264') ? ['-f', 'h264'] : []), '-i', file];

// How many frames a strict decoder makes of it; fails at the first thing that is wrong.
export async function decodes(file) {
  const { stderr } = await ffmpeg('-v', 'error', '-xerror', '-err_detect', 'explode', ...inputOf(file), '-f', 'null', '-');
  if (stderr.length) throw new Error(`${file}: ${stderr.toString().slice(0, 500)}`);
  const { stdout } = await run('ffprobe', ['-v', 'error', ...(file.endsWith('.h264') ? ['-f', 'h264'] : []), '-count_frames',
    '-select_streams', 'v:0', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', file]);
  return Number(stdout.trim().split(',')[0]);
}

const ssimOf = (stderr) => Number(/SSIM .*All:([0-9.]+)/.exec(stderr.toString())[1]);

// Frame by frame; 1 when they are the same.
export async function similarity(file, source) {
  const numbered = `setpts=N/${FPS}/TB`;
  const { stderr } = await ffmpeg(...inputOf(file), ...inputOf(source), '-lavfi', `[0:v]${numbered}[a];[1:v]${numbered}[b];[a][b]ssim`, '-f', 'null', '-');
  return ssimOf(stderr);
}

// Of each frame to one picture.
export async function likeness(file, picture, width, height) {
  const { stderr } = await ffmpeg(...inputOf(file), '-loop', 1, '-i', picture, '-lavfi',
    `[0:v]scale=${width}:${height},setpts=N/${FPS}/TB[a];[1:v]format=yuv420p[b];[a][b]ssim=shortest=1`, '-f', 'null', '-');
  return ssimOf(stderr);
}

// Which share of what is heard lies at that frequency (Goertzel), over all of the file but its first half second.
export async function shareOfTone(file, hertz) {
  const RATE = 48_000;
  const { stdout } = await ffmpeg('-v', 'error', '-xerror', '-i', file, '-ac', 1, '-ar', RATE, '-f', 's16le', '-');
  const samples = new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length >> 1).subarray(RATE / 2);
  // In blocks, so that a block with a phase that jumps costs no more than itself.
  const BLOCK = 4_800;
  let at = 0, all = 0;
  for (let first = 0; first + BLOCK <= samples.length; first += BLOCK) {
    const turn = 2 * Math.cos((2 * Math.PI * hertz) / RATE);
    let one = 0, two = 0;
    for (let i = first; i < first + BLOCK; ++i) {
      const next = samples[i] + turn * one - two;
      two = one;
      one = next;
      all += samples[i] ** 2;
    }
    at += ((one ** 2 + two ** 2 - turn * one * two) * 2) / BLOCK;
  }
  return { share: all ? at / all : 0, seconds: samples.length / RATE };
}
