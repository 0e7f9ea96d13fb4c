// Starts oidc-provider on a free loopback port for one test run.
//
//   INTEROP_CONFIG='{"tls": {"key": "PEM", "cert": "PEM"}}' node server.mjs
//
// It prints `READY <issuer>` when it listens: https with tls, else http. Each line on stdin is the
// metadata of one client as JSON, answered by `CLIENT <client_id>`: an app on a free port knows
// its redirect URI only after it has started. The line `{"rotate": true}` replaces all keys and is
// answered by `ROTATED`. The end of stdin ends the server, so it cannot outlive its test.

import { generateKeyPairSync } from 'node:crypto';
import { createServer as createHTTP } from 'node:http';
import { createServer as createHTTPS } from 'node:https';
import { createInterface } from 'node:readline';

import { Provider } from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';

import { interactions, logout } from './pages.mjs';

const config = JSON.parse(process.env.INTEROP_CONFIG ?? '{}');
const clients = new Map();
const memory = createMemoryAdapter();

// signingKeys makes one key for each algorithm that clients may register for their ID tokens.
function signingKeys() {
  const pairs = [
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['EdDSA', generateKeyPairSync('ed25519')],
  ];
  return {
    keys: pairs.map(([alg, { privateKey }]) => (
      { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig' }
    )),
  };
}

// Everything on the wire is asserted by the tests, so options that change it are set here
// even where they equal the defaults of this version.
function configuration() {
  return {
    adapter: (model) => (
      model === 'Client' ? { find: async (id) => clients.get(id) } : memory(model)
    ),
    jwks: signingKeys(),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    responseTypes: ['code'],
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      userinfo: { enabled: true },
      jwtUserinfo: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: logout },
    },
    cookies: { keys: ['only the pages of one test run depend on this key'] },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id, name: `Name of ${id}`, email: `${id}@example.test`, email_verified: true,
      }),
    }),
    // Its dispatcher refuses loopback addresses, where the apps of the tests are.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    renderError: (ctx, out) => {
      ctx.type = 'json';
      ctx.body = out;
    },
  };
}

const counts = {};
let pages;
let protocol;

// renew makes a provider with new keys. Sessions, grants and clients are in the adapter and stay.
function renew(issuer) {
  const provider = new Provider(issuer, configuration());
  provider.on('backchannel.error', (_, err) => console.error(err));
  pages = interactions(provider);
  protocol = provider.callback();
}

// serve answers the pages and the counter of this file and leaves the rest to the provider.
function serve(req, res) {
  const { pathname } = new URL(req.url, 'http://localhost');
  if (pathname === '/counts') {
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify(counts));
    return;
  }
  const key = `${req.method} ${pathname}`;
  if (!pathname.startsWith('/interaction/')) {
    counts[key] = (counts[key] ?? 0) + 1;
    protocol(req, res);
    return;
  }
  pages(req, res).catch((err) => {
    res.statusCode = 400;
    res.end(`${err.name}: ${err.message}`);
  });
}

let issuer;
const server = config.tls ? createHTTPS(config.tls) : createHTTP();
server.listen(0, '127.0.0.1', () => {
  issuer = `${config.tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
  renew(issuer);
  server.on('request', serve);
  console.log(`READY ${issuer}`);
});

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const client = JSON.parse(line);
  if (client.rotate) {
    renew(issuer);
    console.log('ROTATED');
    return;
  }
  clients.set(client.client_id, client);
  console.log(`CLIENT ${client.client_id}`);
});
lines.on('close', () => process.exit(0));
