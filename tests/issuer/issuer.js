// An OpenID Connect issuer on oidc-provider, for the tests of signing in: anybody signs in with any password.
//
// node issuer.js PORT CALLBACK HOME, where CALLBACK and HOME are the redirect URIs of the client after a sign-in and
// after a sign-out. It prints one line when it listens. The claims of an account follow from its name.

import { Provider } from 'oidc-provider';

const [port, callback, home] = process.argv.slice(2);

const ACCOUNTS = {
  root: { groups: ['fleet-ops', 'gamers'] },
  ada: { groups: ['gamers'], tenant: 'acme' },
  eve: { groups: ['gamers'], app: ['none-of-these'] },
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'pixelfleet',
      client_secret: 'a secret of the client: 50% & more',
      redirect_uris: [callback],
      post_logout_redirect_uris: [home],
    },
  ],
  claims: { openid: ['sub', 'groups', 'tenant', 'app'], profile: ['name'] },
  conformIdTokenClaims: false,
  cookies: { keys: ['only for tests'] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `Person ${id}`, ...ACCOUNTS[id] }) }),
  // Nobody is asked for consent.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
});

provider.listen(Number(port), '127.0.0.1', () => {
  console.log('listening');
});
