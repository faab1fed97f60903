// What the suites of the tool and of the examples have in common: counting, programs that run beside the test, and the
// line of JSON for ./dev.
import { execFile, spawn } from 'node:child_process';

// Its standard output, or an error with all that it said.
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: 1 << 26, timeout: 60_000, ...options }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${[program, ...args].join(' ')}: ${error.signal ?? error.code}\n${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}

export function check(isSo, problem) {
  if (!isSo) throw new Error(problem);
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A program that goes on until it is told to end. text(): all that it has said so far, of both outputs.
export class Program {
  constructor(program, args, options = {}) {
    this.command = [program, ...args].join(' ');
    this.out = '';
    this.error = '';
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.child.stdout.setEncoding('utf8').on('data', (data) => { this.out += data; });
    this.child.stderr.setEncoding('utf8').on('data', (data) => { this.error += data; });
    this.ended = new Promise((resolve) => this.child.once('close', (code, signal) => resolve(signal ?? code)));
  }

  text() {
    return this.out + this.error;
  }

  async says(pattern, seconds = 10) {
    for (const end = Date.now() + seconds * 1000; !pattern.test(this.text()); await sleep(50)) {
      const isOver = this.child.exitCode !== null || this.child.signalCode !== null;
      if (Date.now() > end || (isOver && !pattern.test(this.text()))) {
        throw new Error(`${this.command} does not say ${pattern}:\n${this.text()}`);
      }
    }
    return pattern.exec(this.text());
  }

  // How it ended: the exit code, or the signal's name.
  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    const late = setTimeout(() => this.child.kill('SIGKILL'), 8000);
    const how = await this.ended;
    clearTimeout(late);
    return how;
  }

  // Ends by itself, with code 0.
  async succeeds(seconds = 40) {
    const late = setTimeout(() => this.child.kill('SIGKILL'), seconds * 1000);
    const how = await this.ended;
    clearTimeout(late);
    check(how === 0, `${this.command} ended with ${how}:\n${this.text()}`);
    return this.text();
  }
}

// Tests by name, side by side; each `body` gets a list of what is to be ended behind it, and returns what is told with
// its name. The counts.
export async function runTests(tests, only = []) {
  const counts = { passed: 0, failed: 0 };
  await Promise.all(Object.entries(tests).map(async ([what, body]) => {
    if (only.length && !only.some((part) => what.includes(part))) return;
    const programs = [];
    const began = Date.now();
    let problem = '';
    let more = '';
    try {
      more = (await body(programs)) ?? '';
    } catch (error) {
      problem = error.message;
    }
    await Promise.all(programs.map((program) => program.stop()));
    ++counts[problem ? 'failed' : 'passed'];
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    console.log(`${problem ? 'FAILED' : 'ok    '} ${what}${more && `: ${more}`} (${seconds} s)`);
    if (problem) console.log(problem.trimEnd().split('\n').slice(0, 40).join('\n').replace(/^/gm, '    '));
  }));
  return counts;
}

export function close(suite, counts) {
  console.log(JSON.stringify({ suite, ...counts, skipped: 0 }));
  process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
}
