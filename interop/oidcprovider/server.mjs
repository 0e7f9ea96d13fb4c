// oidc-provider as an OpenID Provider for clients with a secret, or with none.
//
//   INTEROP_CONFIG='{"tls": {"key": "PEM", "cert": "PEM"}}' node server.mjs
//
// It serves https with tls, else http; see run.mjs for the rest.

import { common, commonFeatures, config, run, signingKeys } from './run.mjs';

function configuration() {
  return {
    ...common,
    // One key for each algorithm that clients may register for their ID tokens.
    jwks: signingKeys('RS256', 'ES256', 'EdDSA'),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    rotateRefreshToken: true,
    features: { ...commonFeatures, backchannelLogout: { enabled: true } },
    // Its dispatcher refuses loopback addresses, where the apps of the tests are.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  };
}

await run(configuration, [{ name: '', tls: config.tls }]);
