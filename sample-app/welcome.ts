import { features } from './features.js';
import type { DemoClient } from './provider/clients.js';
import { ordersAdmin, ordersCli, ordersTeller } from './provider/clients.js';

/** For the embedded provider: lines that work as pasted into bash or zsh, comments included. */
export function welcome(api: string, messagePort: number, provider: string): string {
  return `
Playground       ${api}/ (open it in a browser: break the provider, compare with the usual recipe)
Orders API       ${api}
Message handlers 127.0.0.1:${messagePort} (TCP)
OpenID provider  ${provider} (embedded: you rotate its keys and break it)
${routes()}

Paste into another terminal, in this folder:

  # get a token, call the API
  TOKEN=${getTokenLine(provider, ordersCli)}
  curl -iw '\\n' ${api}/orders -H "Authorization: Bearer $TOKEN"
  curl -iw '\\n' ${api}/orders -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"item":"milk","quantity":2}'

  # a query over GraphQL, then an order over TCP, which a WebSocket in the background prints too
${otherContexts(api, messagePort)}

  # a token that is bound to a key, called with a proof of possession, and a bearer token, which is refused
  node dist/sample-app/payments/pay.js ${api} ${provider}
  curl -iw '\\n' ${api}/payments -H "Authorization: Bearer $TOKEN"

  # the provider signs with a new key. The old one stays published, so both tokens are good
  curl -X POST ${provider}/rotate
  NEW_TOKEN=${getTokenLine(provider, ordersCli)}
  curl -iw '\\n' ${api}/orders -H "Authorization: Bearer $NEW_TOKEN"
  curl -iw '\\n' ${api}/orders -H "Authorization: Bearer $TOKEN"

  # it withdraws all its keys at once. The next token is good on its first request, the ones before it are refused
  curl -X POST '${provider}/rotate?keepOld=false'
  NEWEST_TOKEN=${getTokenLine(provider, ordersCli)}
  curl -iw '\\n' ${api}/orders -H "Authorization: Bearer $NEWEST_TOKEN"
  curl -iw '\\n' ${api}/orders -H "Authorization: Bearer $NEW_TOKEN"

  # it is down. Known keys go on working. Other modes are html, hang and slow
  curl -X POST '${provider}/fault?mode=down'
  curl -iw '\\n' ${api}/orders -H "Authorization: Bearer $NEWEST_TOKEN"
  curl -X POST '${provider}/fault?mode=none'

  # the route that requires a role, and the anonymous one
  ADMIN_TOKEN=${getTokenLine(provider, ordersAdmin)}
  curl -iw '\\n' ${api}/admin/stats -H "Authorization: Bearer $ADMIN_TOKEN"
  curl -iw '\\n' ${api}/health/ready

  # a refund asks for a strong and recent login, which the first token does not show
  curl -iw '\\n' ${api}/refunds -H "Authorization: Bearer $NEWEST_TOKEN" -H 'Content-Type: application/json' -d '{"order":1}'
  TELLER_TOKEN=${getTokenLine(provider, ordersTeller)}
  curl -iw '\\n' ${api}/refunds -H "Authorization: Bearer $TELLER_TOKEN" -H 'Content-Type: application/json' -d '{"order":1}'

  # what a client finds out by itself, then a tool call of the Model Context Protocol
${discovery(api, '$NEWEST_TOKEN')}

Ctrl-C stops both.
`;
}

/** For an issuer of the user's own, where only the user knows how to get a token. */
export function welcomeWithIssuer(
  api: string,
  messagePort: number,
  issuer: string,
  audience: string,
): string {
  return `
Orders API  ${api}
Messages    127.0.0.1:${messagePort} (TCP)
Issuer      ${issuer}, tokens for ${audience}
${routes()}

Paste into another terminal, in this folder, with an access token of this issuer for this audience:

  TOKEN='…'
  curl -iw '\\n' ${api}/orders -H "Authorization: Bearer $TOKEN"
  curl -iw '\\n' ${api}/health/ready
${otherContexts(api, messagePort)}

${discovery(api, '$TOKEN')}

Ctrl-C stops it.
`;
}

function routes(): string {
  const lines = features.flatMap(({ routes, channels = [] }) => [
    ...routes.map(({ method, path, requires }) => ({ kind: method, name: path, requires })),
    ...channels.map(({ transport, name, requires }) => ({ kind: transport, name, requires })),
  ]);
  const width = Math.max(...lines.map(({ name }) => name.length));
  const text = lines.map(
    ({ kind, name, requires }) => `  ${kind.padEnd(4)} ${name.padEnd(width)}  requires ${requires}`,
  );
  return `\n${text.join('\n')}`;
}

/** One line each; the clients are packages of this repository. */
function otherContexts(api: string, messagePort: number): string {
  const socket = `const s=require("socket.io-client").io("${api}",{path:"/live",auth:{token:process.argv[1]}});s.on("connect_error",e=>console.log(e.data)).onAny((...a)=>console.log(...a)).emit("orders.watch")`;
  const message = `const m=JSON.stringify({id:"1",pattern:"orders.place",data:{item:"tea",quantity:1},metadata:{authorization:"Bearer "+process.argv[1]}});const s=require("net").connect(${messagePort},"127.0.0.1",()=>s.write(m.length+"#"+m));s.once("data",d=>{console.log(String(d));s.end()})`;
  return `  node -e '${socket}' "$TOKEN" & WATCHER=$!; sleep 2
  curl -iw '\\n' ${api}/graphql -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"query":"{ orders { id item } }"}'
  node -e '${message}' "$TOKEN"; sleep 1; kill $WATCHER`;
}

/** The document that every challenge names, and an MCP client. */
function discovery(api: string, token: string): string {
  const call =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_orders","arguments":{}}}';
  return `  curl -iw '\\n' ${api}/.well-known/oauth-protected-resource
  curl -iw '\\n' ${api}/mcp -H "Authorization: Bearer ${token}" -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' -d '${call}'`;
}

function getTokenLine(provider: string, { id, secret }: DemoClient): string {
  const request = `curl -s ${provider}/token -u ${id}:${secret} -d grant_type=client_credentials -d scope=orders:read+orders:write`;
  return `$(${request} | node -pe 'JSON.parse(require("fs").readFileSync(0)).access_token')`;
}
