// A sample agent: three calls to the payments API, through the gateway. It holds no credential of that API, only a
// token of its own.

export class Agent {
  constructor(agentsUrl, token) {
    this.agentsUrl = agentsUrl;
    this.token = token;
  }

  call(method, path, { body, headers = {}, signal } = {}) {
    return fetch(`${this.agentsUrl}${path}`, {
      method,
      signal,
      headers: { Authorization: `Bearer ${this.token}`, ...(body ? { 'Content-Type': 'application/json' } : {}), ...headers },
      body: body && JSON.stringify(body),
    });
  }

  /** Waits until people have decided, then gives the upstream's own answer, or the refusal. */
  async collect(hold, signal) {
    for (;;) {
      const state = await (await this.call('GET', `/.sallyport/holds/${hold}?wait=30s`, { signal })).json();
      if (!['held', 'approved', 'releasing'].includes(state.status)) break;
    }
    return this.call('GET', `/.sallyport/holds/${hold}/response`, { signal });
  }
}
