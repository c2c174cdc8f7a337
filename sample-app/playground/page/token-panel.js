// Signs a token with claims of choice, sends it to a route, and explains the answer.

import { find, html, post, setFacts, setText } from './dom.js';

const inMinutes = (minutes) => Math.floor(Date.now() / 1000) + minutes * 60;

/** Claims to begin with; null takes a claim out. */
const examples = [
  { name: 'a valid token', claims: () => ({ sub: 'alice', scope: 'orders:read orders:write' }) },
  { name: 'an administrator', claims: () => ({ sub: 'carol', roles: ['admin'] }) },
  { name: 'a scope is missing', claims: () => ({ sub: 'alice', scope: 'profile' }) },
  { name: 'expired an hour ago', claims: () => ({ sub: 'alice', exp: inMinutes(-60) }) },
  { name: 'valid in an hour', claims: () => ({ sub: 'alice', nbf: inMinutes(60) }) },
  { name: 'meant for another API', claims: () => ({ sub: 'alice', aud: 'https://billing.example' }) },
  { name: 'of another issuer', claims: () => ({ sub: 'alice', iss: 'https://login.example' }) },
  { name: 'without expiry', claims: () => ({ sub: 'alice', exp: null }) },
];

const meanings = {
  AUTH_TOKEN_MISSING:
    'There was no token. The challenge names the scheme and no error (RFC 6750 section 3.1).',
  AUTH_TOKEN_MALFORMED: 'This is not a signed JWT that the API could read.',
  AUTH_TOKEN_ALGORITHM_REFUSED: 'The algorithm is not on the list of the API. "none" never is.',
  AUTH_TOKEN_ISSUER_UNKNOWN: 'No configured issuer has this name, so none was contacted.',
  AUTH_TOKEN_AUDIENCE_MISMATCH: 'The token is meant for another API.',
  AUTH_TOKEN_EXPIRED: 'The token has expired, beyond the tolerance of 30 seconds.',
  AUTH_TOKEN_NOT_YET_VALID: 'The token is not valid yet.',
  AUTH_TOKEN_CLAIM_INVALID: 'A claim is missing or has a wrong type.',
  AUTH_TOKEN_SIGNATURE_INVALID:
    'The key is unknown or the signature does not match. The API checked with the provider before it said so.',
  AUTH_TOKEN_SENDER_CONSTRAINED:
    'The token is bound to a key or a certificate, and the request proves neither (claim cnf).',
  AUTH_SCOPE_MISSING: 'The token is good and lacks a scope. The challenge names the scopes to request.',
  AUTH_ROLE_MISSING: 'The token is good and lacks the role.',
  AUTH_PROOF_MISSING:
    'The route takes only tokens that come with a proof of possession, which this panel does not make (RFC 9449).',
  AUTH_STEP_UP_REQUIRED:
    'The token is good, and the route asks for a stronger or more recent login. The challenge says which (RFC 9470).',
  AUTH_METADATA_UNAVAILABLE:
    'The API could not check, because the provider did not answer. This is no verdict on the token: try again after the time in Retry-After.',
};

export async function connectTokenPanel() {
  const form = find('[data-token-form]');
  const { claims, example, signer, route } = form.elements;
  const routes = await (await fetch('/playground/routes')).json();
  example.append(...examples.map(({ name }, index) => option(name, index)));
  route.append(
    ...routes.map(({ method, path, requires }, index) =>
      option(`${method} ${path}, requires ${requires}`, index),
    ),
  );
  const showExample = () => (claims.value = JSON.stringify(examples[example.value]?.claims(), null, 2));
  example.addEventListener('change', showExample);
  showExample();
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      const token = await sign(claims.value, signer.value);
      showAnswer(await send(routes[route.value], token));
    } catch (problem) {
      showProblem(String(problem));
    }
  });
}

async function sign(claims, signer) {
  if (signer === 'none') return undefined;
  const response = await post('/playground/tokens', { claims: JSON.parse(claims), signer });
  return (await response.json()).token;
}

async function send({ method, path, body }, token) {
  const startedAt = performance.now();
  const headers = new Headers();
  if (token) headers.set('Authorization', `Bearer ${token}`);
  if (body) headers.set('Content-Type', 'application/json');
  const response = await fetch(
    new Request(path, { method, headers, ...(body && { body: JSON.stringify(body) }) }),
  );
  return { response, text: await response.text(), took: performance.now() - startedAt };
}

function showAnswer({ response, text, took }) {
  const body = parse(text);
  const [graphqlError] = body?.errors ?? [];
  const { errorCode } = graphqlError?.extensions ?? body ?? {};
  const isServed = response.ok && !graphqlError;
  showVerdict(
    `${response.status} ${response.statusText}`,
    isServed,
    meanings[errorCode] ?? plainMeaning(isServed, response),
  );
  setFacts(find('[data-answer-headers]'), [
    ...['WWW-Authenticate', 'Retry-After'].flatMap((name) => {
      const value = response.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
    ['answered in', `${Math.round(took)} ms`],
  ]);
  setText(find('[data-answer-body]'), body === undefined ? text : JSON.stringify(body, null, 2));
}

function showProblem(message) {
  showVerdict('Not sent.', false, `The claims must be a JSON object. ${message}`);
  setFacts(find('[data-answer-headers]'), []);
  setText(find('[data-answer-body]'), '');
}

function showVerdict(status, isGood, meaning) {
  const answer = find('[data-answer]');
  answer.hidden = false;
  answer.classList.toggle('good', isGood);
  setText(find('[data-answer-status]'), status);
  setText(find('[data-answer-meaning]'), meaning);
}

function plainMeaning(isServed, { status }) {
  return isServed ? 'The token is good and the route served it.' : `The route answered ${status}.`;
}

function option(text, value) {
  const node = html('option', '', text);
  node.value = String(value);
  return node;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
