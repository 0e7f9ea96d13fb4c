// oidc-provider under the FAPI 2.0 Security Profile, and Message Signing for the clients that
// register for it.
//
//   INTEROP_CONFIG='{"tls": {"key": "PEM", "cert": "PEM"}, "ca": "PEM", "nonces": true}' node fapi.mjs
//
// It serves two https origins: the issuer, and the aliases for clients with a certificate (RFC 8705
// section 5). Clients register with token_endpoint_auth_method and one of dpop_bound_access_tokens
// and tls_client_certificate_bound_access_tokens. With nonces every DPoP proof needs a nonce of the
// server's (RFC 9449 section 8); without, there are none. See run.mjs for the rest.

import { randomBytes, X509Certificate } from 'node:crypto';

import { errors } from 'oidc-provider';

import {
  common, commonFeatures, config, peerCertificate, run, signingKeys,
} from './run.mjs';

// FAPI 2.0 Security Profile section 5.4.1.
const algorithms = ['PS256', 'ES256', 'EdDSA'];

const authority = new X509Certificate(config.ca);

// authorized reports whether the authority of this run issued a certificate for now. The listener
// names no authority to clients, and checks none itself, since others sign their own.
function authorized(certificate) {
  const now = Date.now();
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
    && Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

// subjectMatches compares a name that a client has registered (RFC 8705 section 2.1.2).
function subjectMatches(certificate, property, expected) {
  switch (property) {
    case 'tls_client_auth_subject_dn': // RFC 4514 begins with the last of the names
      return certificate.subject.split('\n').reverse().join(',') === expected;
    case 'tls_client_auth_san_dns':
      return certificate.subjectAltName?.split(', ').includes(`DNS:${expected}`) ?? false;
    case 'tls_client_auth_san_uri':
      return certificate.subjectAltName?.split(', ').includes(`URI:${expected}`) ?? false;
    default:
      return false;
  }
}

// mTLS looks at certificates at the aliases only.
function mTLS(aliases) {
  const { port } = new URL(aliases);
  const certificate = ({ socket }) => (
    socket.localPort === Number(port) ? peerCertificate(socket) : undefined
  );
  return {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: true,
    getCertificate: certificate,
    certificateAuthorized: (ctx) => authorized(certificate(ctx)),
    certificateSubjectMatches: (ctx, property, expected) => (
      subjectMatches(certificate(ctx), property, expected)
    ),
  };
}

// payment is a type of authorization_details (RFC 9396): an amount that may be paid.
const payment = {
  validate: (_, { amount }) => {
    if (!/^[0-9]+$/.test(amount)) throw new errors.InvalidAuthorizationDetails('no amount');
  },
};

// scopes of the APIs that tokens may be asked for (RFC 8707). Such a token is none for userinfo.
const scopes = {
  'https://accounts.example.test/': 'accounts',
  'https://payments.example.test/': 'payments',
};

function resourceServer(resource) {
  if (!Object.hasOwn(scopes, resource)) throw new errors.InvalidTarget();
  return { scope: scopes[resource], audience: resource, accessTokenFormat: 'opaque' };
}

function features(aliases) {
  return {
    ...commonFeatures,
    fapi: { enabled: true, profile: '2.0' },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    dPoP: {
      enabled: true,
      nonceSecret: config.nonces ? randomBytes(32) : undefined,
      requireNonce: () => Boolean(config.nonces),
    },
    mTLS: mTLS(aliases),
    requestObjects: { enabled: true },
    jwtResponseModes: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (_, client, token) => token.clientId === client.clientId,
    },
    jwtIntrospection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      // A token is for one API: the first of those that were asked for.
      defaultResource: (_ctx, _client, granted) => granted?.[0],
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => resourceServer(resource),
    },
    richAuthorizationRequests: {
      enabled: true,
      types: { payment },
      authorizationDetailsForGrantSource: (ctx) => ctx.oidc.grant.rar,
      authorizationDetailsForAccessToken: (_ctx, _token, source) => source.rar,
      authorizationDetailsForIntrospection: (_ctx, token) => token.rar,
    },
  };
}

function configuration([issuer, aliases]) {
  return {
    ...common,
    jwks: signingKeys(...algorithms),
    clientAuthMethods: ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'PS256',
      authorization_signed_response_alg: 'PS256',
      introspection_signed_response_alg: 'PS256',
      authorization_details_types: ['payment'],
    },
    enabledJWA: {
      clientAuthSigningAlgValues: algorithms,
      dPoPSigningAlgValues: algorithms,
      requestObjectSigningAlgValues: algorithms,
      idTokenSigningAlgValues: algorithms,
      userinfoSigningAlgValues: algorithms,
      introspectionSigningAlgValues: algorithms,
      authorizationSigningAlgValues: algorithms,
    },
    acrValues: ['urn:example:silver', 'urn:example:gold'],
    // FAPI 2.0 Security Profile section 5.3.2.1: codes live for a minute, refresh tokens are not rotated.
    ttl: { AuthorizationCode: 60 },
    rotateRefreshToken: false,
    features: features(aliases),
    discovery: {
      mtls_endpoint_aliases: {
        token_endpoint: `${aliases}/token`,
        revocation_endpoint: `${aliases}/token/revocation`,
        introspection_endpoint: `${aliases}/token/introspection`,
        pushed_authorization_request_endpoint: `${aliases}/request`,
        userinfo_endpoint: `${aliases}/me`,
      },
    },
  };
}

// Both ask for a certificate, so that the counts tell who shows one where it is nobody's business.
const tls = { ...config.tls, requestCert: true, rejectUnauthorized: false };
await run(configuration, [{ name: '', tls }, { name: 'alias', tls }]);
