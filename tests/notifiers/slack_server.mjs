// Slack's Web API as the channel uses it, well-behaved until told otherwise. It keeps what it was asked, checks what Slack
// itself checks, and refuses as Slack does.
import http from 'node:http';
import https from 'node:https';

const FORM = 'application/x-www-form-urlencoded';
const ARGUMENTS = {
  'users.lookupByEmail': ['email'],
  'conversations.open': ['users'],
  'chat.postMessage': ['channel', 'text', 'blocks', 'parse', 'link_names', 'mrkdwn', 'unfurl_links', 'unfurl_media', 'metadata', 'thread_ts'],
  'chat.update': ['channel', 'ts', 'text', 'blocks', 'parse', 'link_names', 'metadata'],
  'chat.postEphemeral': ['channel', 'user', 'text', 'blocks', 'parse', 'link_names'],
  'views.open': ['trigger_id', 'view'],
  'apps.connections.open': [],
};

export class SlackServer {
  token = 'xoxb-of-the-test';
  users = new Map([['ada@example.com', { id: 'U0123456789', deleted: false, is_bot: false }]]);
  messages = new Map(); // `CHANNEL/TS`: the arguments of the last post or update
  calls = []; // { method, arguments, authorization }
  #misbehaviour = []; // { method, how }, each for one call
  #server;
  #last = 0;

  constructor(tls) {
    const listener = (request, response) => this.#serve(request, response);
    this.#server = tls ? https.createServer(tls, listener) : http.createServer(listener);
    this.scheme = tls ? 'https' : 'http';
  }

  async start() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }
  get url() { return `${this.scheme}://127.0.0.1:${this.#server.address().port}/api/`; }
  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The next call of `method` is answered by `how(request, response, arguments)`, or refused with that error. */
  next(method, how) { this.#misbehaviour.push({ method, how }); }
  forget() {
    this.calls = [];
    this.#misbehaviour = [];
    this.messages.clear();
  }
  methods() { return this.calls.map((call) => call.method); }

  async #serve(request, response) {
    let body = '';
    request.setEncoding('utf8');
    try {
      for await (const text of request) body += text;
    } catch {
      return; // it was dropped
    }
    const method = /^\/api\/([a-zA-Z.]+)$/.exec(request.url)?.[1];
    const type = request.headers['content-type'] ?? '';
    const given = type.startsWith(FORM) ? Object.fromEntries(new URLSearchParams(body)) : JSON.parse(body);
    this.calls.push({ method, arguments: given, authorization: request.headers.authorization, headers: request.headers });

    const at = this.#misbehaviour.findIndex((each) => each.method === method);
    const how = at === -1 ? undefined : this.#misbehaviour.splice(at, 1)[0].how;
    if (typeof how === 'function') return how(request, response, given);
    const answer = how ? { ok: false, error: how } : this.#answer(method, given, request.headers);
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.end(JSON.stringify(answer));
  }

  #answer(method, given, headers) {
    const no = (error) => ({ ok: false, error });
    if (request_is_wrong(method, given, headers)) return no('invalid_arguments');
    if (headers.authorization === undefined) return no('not_authed');
    if (method === 'apps.connections.open') return headers.authorization === `Bearer ${this.appToken}` ? { ok: true, url: this.socketUrl } : no('invalid_auth');
    if (headers.authorization !== `Bearer ${this.token}`) return no('invalid_auth');
    switch (method) {
      case 'users.lookupByEmail': {
        const user = this.users.get(given.email);
        return user ? { ok: true, user } : no('users_not_found');
      }
      case 'conversations.open':
        return [...this.users.values()].some((user) => user.id === given.users) ? { ok: true, channel: { id: `D${given.users.slice(1)}` } } : no('user_not_found');
      case 'chat.postMessage': {
        if (![...this.users.values()].some((user) => `D${user.id.slice(1)}` === given.channel)) return no('channel_not_found');
        const ts = `1767603601.${String(++this.#last).padStart(6, '0')}`;
        this.messages.set(`${given.channel}/${ts}`, given);
        return { ok: true, channel: given.channel, ts, message: {} };
      }
      case 'chat.update': {
        const place = `${given.channel}/${given.ts}`;
        if (!this.messages.has(place)) return no('message_not_found');
        this.messages.set(place, given);
        return { ok: true, channel: given.channel, ts: given.ts };
      }
      case 'chat.postEphemeral': return { ok: true, message_ts: '1767603601.000001' };
      case 'views.open': return { ok: true, view: { id: 'V1' } };
      default: return no('unknown_method');
    }
  }
}

function request_is_wrong(method, given, headers) {
  const known = ARGUMENTS[method] ?? [];
  const type = headers['content-type'] ?? '';
  const takesJson = !['users.lookupByEmail', 'apps.connections.open'].includes(method);
  return Object.keys(given).some((name) => !known.includes(name)) || type !== (takesJson ? 'application/json; charset=utf-8' : FORM);
}

/** The buttons of a message, by the names that they are known by. */
export const buttons = (message) => message.blocks.filter((block) => block.type === 'actions').flatMap((block) => block.elements.map((element) => element.action_id));
