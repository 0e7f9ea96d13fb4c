// Runs oidc-provider on free loopback ports for one test run, as server.mjs and fapi.mjs configure
// it: what they have in common, and how they talk with the test that started them.

import { generateKeyPairSync } from 'node:crypto';
import { createServer as createHTTP } from 'node:http';
import { createServer as createHTTPS } from 'node:https';
import { createInterface } from 'node:readline';

import { Provider } from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';

import { interactions, logout } from './pages.mjs';

// config is what the test asks for.
export const config = JSON.parse(process.env.INTEROP_CONFIG ?? '{}');

const clients = new Map();
const memory = createMemoryAdapter();
const counts = {};

// signingKeys makes one key for each algorithm.
export function signingKeys(...algorithms) {
  const pair = {
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  };
  return {
    keys: algorithms.map((alg) => (
      { ...pair[alg]().privateKey.export({ format: 'jwk' }), alg, use: 'sig' }
    )),
  };
}

// Everything on the wire is asserted by the tests, so options that change it are set here
// even where they equal the defaults of this version.
export const common = {
  adapter: (model) => (
    model === 'Client' ? { find: async (id) => clients.get(id) } : memory(model)
  ),
  responseTypes: ['code'],
  scopes: ['openid', 'profile', 'email', 'offline_access'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  cookies: { keys: ['only the pages of one test run depend on this key'] },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, name: `Name of ${id}`, email: `${id}@example.test`, email_verified: true,
    }),
  }),
  renderError: (ctx, out) => {
    ctx.type = 'json';
    ctx.body = out;
  },
};

export const commonFeatures = {
  devInteractions: { enabled: false },
  revocation: { enabled: true },
  userinfo: { enabled: true },
  jwtUserinfo: { enabled: true },
  rpInitiatedLogout: { enabled: true, logoutSource: logout },
};

// peerCertificate is the certificate that the client showed on this connection, if it did.
export function peerCertificate(socket) {
  return socket.getPeerX509Certificate?.();
}

let pages;
let protocol;

// renew makes a provider with new keys. Sessions, grants and clients are in the adapter and stay.
function renew(origins, configuration) {
  const provider = new Provider(origins[0], configuration(origins));
  provider.on('backchannel.error', (_, err) => console.error(err));
  pages = interactions(provider);
  protocol = provider.callback();
}

function count(key) {
  counts[key] = (counts[key] ?? 0) + 1;
}

// serve answers the pages and the counter of this file and leaves the rest to the provider.
function serve(listener, req, res) {
  const { pathname } = new URL(req.url, 'http://localhost');
  if (pathname === '/counts') {
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify(counts));
    return;
  }
  if (!pathname.startsWith('/interaction/')) {
    count(`${req.method} ${listener}${pathname}`);
    if (peerCertificate(req.socket)) count(`certificate ${listener}${pathname}`);
    protocol(req, res);
    return;
  }
  pages(req, res).catch((err) => {
    res.statusCode = 400;
    res.end(`${err.name}: ${err.message}`);
  });
}

// listen serves one origin and resolves to it. listener is the name of the origin in the counts.
function listen(listener, tls) {
  const server = tls ? createHTTPS(tls) : createHTTP();
  server.on('request', (req, res) => serve(listener, req, res));
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve(`${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`);
    });
  });
}

// run serves the provider that configuration(origins) describes at one origin for each of
// listeners, of which the first is the issuer. It prints `READY <origin> ...` when it listens. Each
// line on stdin is the metadata of one client as JSON, answered by `CLIENT <client_id>`: an app on a
// free port knows its redirect URI only after it has started. The line `{"rotate": true}` replaces
// all keys and is answered by `ROTATED`. The end of stdin ends the server, so it cannot outlive its
// test.
export async function run(configuration, listeners) {
  const origins = [];
  for (const { name, tls } of listeners) origins.push(await listen(name, tls));
  renew(origins, configuration);
  console.log(`READY ${origins.join(' ')}`);

  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const client = JSON.parse(line);
    if (client.rotate) {
      renew(origins, configuration);
      console.log('ROTATED');
      return;
    }
    clients.set(client.client_id, client);
    console.log(`CLIENT ${client.client_id}`);
  });
  lines.on('close', () => process.exit(0));
}
