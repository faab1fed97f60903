// The examples as the tree builds them, against the real server, each in a room of its own.
//   node sdk/cpp/test/examples.mjs [part of a name…]
// The last line is JSON with the counts, for ./dev.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { startServer } from '../../../tests/e2e/harness/server.mjs';
import { exampleTests } from './example_tests.mjs';
import { close, runTests } from './suite.mjs';

const bin = fileURLToPath(new URL('../../../build/release/bin', import.meta.url));
const out = mkdtempSync(`${tmpdir()}/atm0s-examples-`);
const server = await startServer();
const tests = exampleTests({ examples: `${bin}/examples`, tool: `${bin}/atm0s`, server, out });
const counts = await runTests(tests, process.argv.slice(2));
await server.stop();
rmSync(out, { recursive: true, force: true });
close('examples', counts);
