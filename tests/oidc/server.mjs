// An authorization server for the tests: the npm package oidc-provider, on a free port of 127.0.0.1.
// One JSON line on stdout says where it is. It ends when its standard input does, so it never outlives the tests.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Provider } from 'oidc-provider';

// `rotate`: when a registration access token is replaced: never, updates, always (reads too).
// `path`: the path of the issuer. `keepsSoftware`: whether software_id and software_version are kept.
// `wellKnown`: which discovery documents are served; `issuer`: what they call the issuer instead.
const options = { rotate: 'always', path: '', keepsSoftware: true, wellKnown: ['oauth-authorization-server', 'openid-configuration'], ...JSON.parse(process.argv[2] ?? '{}') };

const scopes = ['ledger:read', 'ledger:write', 'admin'];

// What a server may do to a registration before it answers (RFC 7591 section 2), by the initial access token.
const policies = {
  plain: () => {},
  expiring: (ctx, properties) => { properties.client_secret_expires_at = 4102444800; },
  expired: (ctx, properties) => { properties.client_secret_expires_at = 1; },
  widening: (ctx, properties) => { properties.scope = 'admin ledger:read'; },
  narrowing: (ctx, properties) => { properties.scope = 'ledger:read'; },
  implying: (ctx, properties) => { properties.scope = `ledger:write ${properties.scope}`; },
  otherMethod: (ctx, properties) => { properties.token_endpoint_auth_method = 'client_secret_post'; },
  public: (ctx, properties) => {
    properties.token_endpoint_auth_method = 'none';
    delete properties.client_secret;
    delete properties.client_secret_expires_at;
  },
  reissuing: (ctx, properties) => {
    if (ctx.method === 'PUT') properties.client_secret = randomBytes(24).toString('base64url');
  },
};

const http = createServer();
await new Promise((resolve) => { http.listen(0, '127.0.0.1', resolve); });
const origin = `http://127.0.0.1:${http.address().port}`;
const issuer = `${origin}${options.path}`;

const key = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), use: 'sig' };
const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: [randomBytes(24).toString('hex')] },
  scopes: ['openid', 'offline_access', ...scopes],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  extraClientMetadata: { properties: options.keepsSoftware ? ['software_id', 'software_version'] : [] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true, initialAccessToken: true, policies },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: options.rotate !== 'never' },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => `${origin}/ledger`,
      getResourceServerInfo: () => ({ scope: scopes.join(' '), accessTokenFormat: 'opaque' }),
    },
  },
});

// RFC 7592 section 2.1 lets a read rotate the token too; the library does so on updates only.
provider.use(async (ctx, next) => {
  await next();
  const read = ctx.method === 'GET' && ctx.oidc?.route === 'client' && ctx.status === 200;
  if (options.rotate !== 'always' || !read) return;
  const spent = ctx.oidc.entities.RegistrationAccessToken;
  const fresh = new provider.RegistrationAccessToken({ client: ctx.oidc.client, policies: spent.policies });
  await spent.destroy();
  ctx.body.registration_access_token = await fresh.save();
});

if (options.issuer) {
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route === 'discovery') ctx.body = { ...ctx.body, issuer: options.issuer };
  });
}

const answer = provider.callback();
http.on('request', (request, response) => {
  const wellKnown = /^(?<before>.*)\/\.well-known\/(?<name>[a-z-]+)(?<after>.*)$/.exec(request.url)?.groups;
  if (wellKnown) {
    // RFC 8414 section 3.1 puts the issuer's path behind, OpenID Connect Discovery section 4 before.
    const place = wellKnown.name === 'openid-configuration' ? wellKnown.before : wellKnown.after;
    const served = options.wellKnown.includes(wellKnown.name) && place === options.path;
    request.url = served ? `/.well-known/${wellKnown.name}` : '/nowhere';
    request.originalUrl = `${options.path}${request.url}`;
  } else if (options.path && request.url.startsWith(options.path)) {
    request.originalUrl = request.url;
    request.url = request.url.slice(options.path.length);
  }
  answer(request, response);
});

const tokens = {};
for (const policy of Object.keys(policies)) {
  tokens[policy] = await new provider.InitialAccessToken({ policies: [policy] }).save();
}
console.log(JSON.stringify({ issuer, tokens }));
process.stdin.resume().on('end', () => process.exit(0));
