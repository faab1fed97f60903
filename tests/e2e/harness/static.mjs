// A page server of the tests' own, on another origin than the media server, as an application would have it. It serves
// the test page with the unmodified npm SDK, or at /own with that of sdk/js, other clients, and a /healthcheck that says
// "not ready" for lists of urls.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { bundle } from './bundle.mjs';
import { ignoringSdkFile, ownSdkFile, pageFolder, sdkFile } from './paths.mjs';

const FILES = {
  '/': ['text/html; charset=utf-8', new URL('index.html', pageFolder)],
  '/facts.js': ['text/javascript; charset=utf-8', new URL('facts.js', pageFolder)],
  '/lab.js': ['text/javascript; charset=utf-8', new URL('lab.js', pageFolder)],
  '/encryption_worker.js': ['text/javascript; charset=utf-8', new URL('encryption_worker.js', pageFolder)],
  '/sdk.js': ['text/javascript; charset=utf-8', sdkFile],
  '/http_clients.html': ['text/html; charset=utf-8', new URL('http_clients.html', pageFolder)],
  '/http_clients.js': ['text/javascript; charset=utf-8', new URL('http_clients.js', pageFolder)],
  '/own': ['text/html; charset=utf-8', new URL('own.html', pageFolder)],
  '/own_sdk.js': ['text/javascript; charset=utf-8', ownSdkFile],
  '/properties': ['text/html; charset=utf-8', new URL('properties.html', pageFolder)],
  '/properties.js': ['text/javascript; charset=utf-8', new URL('properties.js', pageFolder)],
  '/property_tests.js': ['text/javascript; charset=utf-8', new URL('property_tests.js', pageFolder)],
  '/ignoring_sdk.js': ['text/javascript; charset=utf-8', ignoringSdkFile],
};
const PACKAGES = { // each as one script, and under which name
  '/whip_client.js': ['@eyevinn/whip-web-client', 'whipClient'],
  '/webrtc_player.js': ['@eyevinn/webrtc-player', 'webrtcPlayer'],
};

// What a page server answers with for that path, or nothing.
export async function pageFile(path) {
  const file = FILES[path];
  return file ? { contentType: file[0], body: await readFile(file[1]) } : null;
}

export async function startPages() {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://x').pathname;
    if (path === '/healthcheck') {
      response.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*',
        'access-control-allow-headers': '*' });
      return response.end('{"status":true,"data":{"ready":false}}');
    }
    if (PACKAGES[path]) {
      response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' });
      return response.end(await bundle(...PACKAGES[path]));
    }
    const file = await pageFile(path);
    if (!file) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': file.contentType });
    response.end(file.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
