// What a browser does with redirects, cookies and forms, and nothing more: enough to sign in by, and to see each step.

/** RFC 6265 as far as it matters here: by host and path. */
export class CookieBrowser {
  #cookies = [];

  constructor(userAgent = 'CookieBrowser/1.0') {
    this.userAgent = userAgent;
  }

  cookie(name) {
    return this.#cookies.find((c) => c.name === name)?.value;
  }

  put(url, name, value, path = '/') {
    this.#keep(new URL(url), `${name}=${value}; Path=${path}`);
  }

  #keep(url, line) {
    const [pair, ...attributes] = line.split(';').map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    const attribute = (wanted) => attributes.find((a) => a.toLowerCase().startsWith(`${wanted}=`))?.split('=')[1];
    const path = attribute('path') ?? '/';
    this.#cookies = this.#cookies.filter((c) => c.name !== name || c.host !== url.hostname || c.path !== path);
    if (value !== '' && attribute('max-age') !== '0' && !(Date.parse(attribute('expires')) < Date.now())) this.#cookies.push({ name, value, host: url.hostname, path });
  }

  #header(url) {
    const under = (path) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
    return this.#cookies.filter((c) => c.host === url.hostname && under(c.path)).map((c) => `${c.name}=${c.value}`).join('; ');
  }

  /** One exchange. */
  async ask(address, { method = 'GET', form, json, headers = {} } = {}) {
    const url = new URL(address);
    const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json);
    const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
    const answer = await fetch(url, {
      method, body, redirect: 'manual',
      headers: { 'user-agent': this.userAgent, cookie: this.#header(url), ...(body === undefined ? {} : { 'content-type': type }), ...headers },
    });
    for (const line of answer.headers.getSetCookie()) this.#keep(url, line);
    const location = answer.headers.get('location');
    return { status: answer.status, url: url.href, headers: answer.headers, location: location && new URL(location, url).href, text: await answer.text() };
  }

  /** The same, and where it leads to; `until` stops before an address. */
  async go(address, options = {}) {
    let seen = await this.ask(address, options);
    for (let hops = 0; seen.location && hops < 20 && !options.until?.(seen.location); hops++) seen = await this.ask(seen.location);
    return seen;
  }
}
