// Session tokens made by hand, so that tests can also make bad ones.
import { createHmac } from 'node:crypto';

export const SECRET = 'the-secret-of-the-browser-tests-0123456789';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function makeToken(claims, { secret = SECRET, alg = 'HS256' } = {}) {
  const head = part({ alg, typ: 'JWT' }) + '.' + part({ protocol: 'Webrtc', publish: true, subscribe: true, ...claims });
  if (alg === 'none') return head + '.';
  return head + '.' + createHmac('sha256', secret).update(head).digest('base64url');
}

export const nowSeconds = () => Math.floor(Date.now() / 1000);
