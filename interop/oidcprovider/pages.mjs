// The provider's sign-in and consent pages: two forms without script, that a plain HTTP client
// and a browser can both submit.

import { parse } from 'node:querystring';

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text) => String(text).replace(/[&<>"']/g, (c) => escapes[c]);

function page(title, body) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 12vh auto; padding: 0 1rem }
  h1 { font-size: 1.5rem }
  button, input { font: inherit; padding: .5rem .9rem }
</style>
<h1>${escape(title)}</h1>
${body}
</html>`;
}

function login(uid) {
  return page('Sign in to oidc-provider', `<form method="post" action="/interaction/${escape(uid)}">
  <p><label>Account <input name="account" value="alice" required></label></p>
  <button id="sign-in" name="do" value="login">Sign in</button>
</form>`);
}

function consent(uid, params) {
  return page('Allow access?', `<p>The app <strong>${escape(params.client_id)}</strong> asks for
  <strong>${escape(params.scope)}</strong>.</p>
<form method="post" action="/interaction/${escape(uid)}">
  <button id="approve" name="do" value="approve">Approve</button>
  <button id="deny" name="do" value="deny">Deny</button>
</form>`);
}

// logout shows the sign-out page. form is the provider's own, without a button.
export async function logout(ctx, form) {
  ctx.body = page('Sign out of oidc-provider?', form.replace('</form>', `
  <button id="leave" name="logout" value="yes">Sign out</button>
  <button id="stay">Stay signed in</button>
</form>`));
}

async function body(req) {
  let text = '';
  for await (const chunk of req) text += chunk;
  return parse(text);
}

async function approve(provider, details) {
  const { params, session, prompt, grantId } = details;
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (prompt.details.missingOIDCScope) {
    grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '));
  }
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  for (const detail of prompt.details.rar ?? []) grant.addRar(detail);
  return { consent: { grantId: await grant.save() } };
}

// interactions returns the handler of /interaction/:uid. The uid in the path is only the scope of
// the provider's cookie; interactionDetails reads the interaction from that cookie.
export function interactions(provider) {
  return async (req, res) => {
    const details = await provider.interactionDetails(req, res);
    const { uid, params, prompt } = details;
    if (req.method === 'GET') {
      res.setHeader('Content-Type', 'text/html; charset=utf-8');
      res.setHeader('Cache-Control', 'no-store');
      res.end(prompt.name === 'login' ? login(uid) : consent(uid, params));
      return;
    }
    const form = await body(req);
    const results = {
      // The person signs in as strongly as the app likes best.
      login: () => ({ login: { accountId: form.account, acr: params.acr_values?.split(' ')[0] } }),
      approve: () => approve(provider, details),
      deny: () => ({ error: 'access_denied', error_description: 'the person said no' }),
    };
    await provider.interactionFinished(req, res, await results[form.do]());
  };
}
