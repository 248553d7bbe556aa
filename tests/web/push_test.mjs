// The pages as an application: installed, told by push while they are closed, honest while there is no connection.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, launch, markup } from './browser.mjs';
import { CALLS } from './scene.mjs';
import { signedIn, World } from './world.mjs';

let world, browser;

before(async () => {
  world = await World.start();
  browser = await launch();
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await world?.close();
});

// A headless browser has no push service behind it: this stands in for the one call that would ask it.
const KEYS = { p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4', auth: 'BTBZMqHH6r4Tts7J_aSIgg' };
function withService({ keys, fails }) {
  let kept = JSON.parse(localStorage.getItem('test-subscription') ?? 'null');
  const made = (from) =>
    from && {
      endpoint: from.endpoint,
      options: { applicationServerKey: Uint8Array.from(from.key).buffer, userVisibleOnly: true },
      toJSON: () => ({ endpoint: from.endpoint, expirationTime: null, keys }),
      unsubscribe: async () => {
        kept = null;
        localStorage.removeItem('test-subscription');
        return true;
      },
    };
  PushManager.prototype.getSubscription = async () => made(kept);
  PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
    if (fails) throw new DOMException('Registration failed', 'AbortError');
    if (!userVisibleOnly || applicationServerKey.length !== 65) throw new TypeError('not what push services want');
    kept = { endpoint: 'http://127.0.0.1:9/send/one', key: [...applicationServerKey] };
    localStorage.setItem('test-subscription', JSON.stringify(kept));
    return made(kept);
  };
}

async function person(handle, { permission = true, fails = false, ...options } = {}) {
  const v = await signedIn(world, browser, handle, options);
  if (permission) await v.context.grantPermissions(['notifications'], { origin: world.url });
  await v.context.addInitScript(withService, { keys: KEYS, fails });
  await v.page.goto(world.url);
  await v.page.getByRole('heading', { name: 'Inbox' }).waitFor();
  return v;
}
const account = async (page) => {
  await page.getByRole('button', { name: /your account/ }).click();
  await page.getByRole('heading', { name: 'Notifications' }).waitFor();
};
const worker = async (v) => {
  await v.page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
  return v.context.serviceWorkers()[0] ?? v.context.waitForEvent('serviceworker');
};

describe('as an application', () => {
  it('the manifest is one that Chromium would install', async () => {
    const v = await person('ada');
    const devtools = await v.context.newCDPSession(v.page);
    const { errors, data, url } = await devtools.send('Page.getAppManifest');
    assert.deepEqual(errors, []);
    assert.equal(new URL(url).pathname, '/manifest.webmanifest');
    const manifest = JSON.parse(data);
    assert.deepEqual([manifest.name, manifest.start_url, manifest.display, manifest.scope], ['Sallyport', '/', 'standalone', '/']);
    const pictures = await v.page.evaluate(async (icons) => {
      const sizes = [];
      for (const { src } of icons) {
        const image = new Image();
        image.src = src;
        await image.decode();
        sizes.push(image.naturalWidth);
      }
      return sizes;
    }, manifest.icons.filter((i) => i.type === 'image/png'));
    assert.deepEqual(pictures, [192, 512, 512]);
    assert.ok(manifest.icons.some((i) => i.purpose === 'maskable'));
    await worker(v);
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    assert.deepEqual(installabilityErrors.filter((e) => e.errorId !== 'in-incognito'), []);
    assert.deepEqual(v.complaints, []);
    await v.close();
  });

  it('the worker is served as itself, for every page, and keeps nothing', async () => {
    const answer = await fetch(`${world.url}/sw.js`);
    assert.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8');
    assert.equal(answer.headers.get('cache-control'), 'no-cache');
    assert.match(answer.headers.get('content-security-policy'), /worker-src 'self'/);
    assert.match(answer.headers.get('content-security-policy'), /trusted-types service-worker$/);
    const v = await person('ada');
    await worker(v);
    assert.equal(await v.page.evaluate(() => navigator.serviceWorker.ready.then((r) => r.scope)), `${world.url}/`);
    assert.deepEqual(await v.page.evaluate(() => caches.keys()), []);
    await v.close();
  });

  it('without a connection it says so, and shows nothing of before', async () => {
    const v = await person('ada');
    await worker(v);
    await v.page.evaluate(() => navigator.serviceWorker.controller ?? new Promise((on) => navigator.serviceWorker.addEventListener('controllerchange', on)).then(() => null));
    const id = await world.hold(CALLS.refund('c_offline'));
    await v.page.goto(`${world.url}/holds/${id}`);
    await v.page.getByText('c_offline').first().waitFor();
    await v.context.setOffline(true);
    await v.page.goto(`${world.url}/holds/${id}`).catch(() => {});
    await v.page.getByRole('heading', { name: 'The gateway cannot be reached' }).waitFor();
    assert.equal(await v.page.getByText('c_offline').count(), 0);
    assert.deepEqual(await axe(v.page), []);
    await v.context.setOffline(false);
    await v.page.getByRole('link', { name: 'Try again' }).click();
    await v.page.getByText('c_offline').first().waitFor();
    await v.close();
  });
});

describe('being told', () => {
  it('what is pushed is shown, replaced by its outcome, and opens its hold', async () => {
    const v = await person('ada');
    const devtools = await v.context.newCDPSession(v.page);
    const registered = new Promise((on) =>
      devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0] && on(registrations[0].registrationId)),
    );
    await devtools.send('ServiceWorker.enable');
    const registrationId = await registered;
    const sw = await worker(v);
    // Each pressed once: a browser closes a notification in its own time, and would take along a new one of the same name.
    const [first, second, third] = [await world.hold(CALLS.refund('c_pushed1')), await world.hold(CALLS.refund('c_pushed2')), await world.hold(CALLS.refund('c_pushed3'))];
    const push = (data) => devtools.send('ServiceWorker.deliverPushMessage', { origin: world.url, registrationId, data });
    const shown = () =>
      v.page.evaluate(async () => {
        const all = await (await navigator.serviceWorker.ready).getNotifications();
        return all.map(({ title, body, tag, silent }) => ({ title, body, tag, silent }));
      });
    const until = async (what) => {
      for (let i = 0; i < 200; ++i) {
        const now = await shown();
        if (what(now)) return now;
        await new Promise((on) => setTimeout(on, 20));
      }
      throw new Error(`not shown: ${JSON.stringify(await shown())}`);
    };
    const tell = (hold, tells, title) => push(JSON.stringify({ hold, tells, title, expires_at: new Date(Date.now() + 600_000).toISOString() }));
    const shownOf = (hold, title) => until((all) => all.some((n) => n.tag === hold && n.title === title));
    const WAITS = 'A call of refund-bot waits for you';
    await tell(first, 'asked', WAITS);
    const [asked] = await shownOf(first, WAITS);
    assert.match(asked.body, /^Until \d\d:\d\d\. Open it to see what it is\.$/);
    assert.equal(asked.silent, false);
    await tell(first, 'ended', 'A call of refund-bot was denied');
    const replaced = await shownOf(first, 'A call of refund-bot was denied');
    assert.deepEqual(replaced.map((n) => [n.silent, n.body]), [[true, 'Nothing is left to do there.']]);

    // A browser lets nobody press but a person: what pressing does is looked at from within.
    const press = (tag) =>
      sw.evaluate(async (wanted) => {
        const opened = [];
        Object.defineProperty(self.clients, 'openWindow', { configurable: true, value: async (to) => opened.push(to) });
        WindowClient.prototype.focus = async function () {
          opened.push('focus');
          return this;
        };
        const [notification] = await self.registration.getNotifications({ tag: wanted });
        const event = new NotificationEvent('notificationclick', { notification });
        let done;
        event.waitUntil = (what) => (done = what);
        self.dispatchEvent(event);
        await done;
        return opened;
      }, tag);
    assert.deepEqual(await press(first), ['focus']);
    await v.page.waitForURL(`${world.url}/holds/${first}`);

    await v.page.goto(`${world.url}/holds/${second}`);
    await tell(second, 'reminded', WAITS);
    await shownOf(second, WAITS);
    assert.deepEqual(await press(second), ['focus'], 'it is open there already');
    assert.equal(v.page.url(), `${world.url}/holds/${second}`);

    // A page in which something else is open is left alone, though it began as the inbox.
    await v.page.goto(world.url);
    await v.page.getByRole('link', { name: 'Agents', exact: true }).click();
    await v.page.waitForURL(`${world.url}/agents`);
    await tell(third, 'asked', WAITS);
    await shownOf(third, WAITS);
    assert.deepEqual(await press(third), [`/holds/${third}`]);

    // What is none of ours leads nowhere.
    for (const bad of ['', 'x', '{}', JSON.stringify({ hold: '//evil.example', tells: 'asked', title: 'x', expires_at: '' })]) await push(bad);
    await shownOf('inbox', 'Something waits in Sallyport');
    assert.equal((await shown()).filter((n) => n.tag !== first && n.tag !== second && n.tag !== third).length, 1);
    assert.deepEqual(await press('inbox'), ['/']);
    assert.deepEqual(v.complaints, []);
    await v.close();
  });

  it('the switch is in one’s account, and off again after signing out', async () => {
    const v = await person('ada');
    const { page } = v;
    await account(page);
    const it = page.getByRole('checkbox', { name: 'Tell me on this device' });
    assert.equal(await it.isChecked(), false);
    await it.click();
    await page.getByText('(this one)').nth(1).waitFor();
    assert.equal(await it.isChecked(), true);
    await page.reload();
    await account(page);
    assert.equal(await page.getByRole('checkbox', { name: 'Tell me on this device' }).isChecked(), true);
    const mine = () => page.evaluate(() => fetch('/api/v1/me/push').then((r) => r.json()).then((all) => all.browsers.length));
    assert.equal(await mine(), 1);
    await page.getByRole('checkbox', { name: 'Tell me on this device' }).click();
    await page.getByRole('list', { name: 'Browsers in which you are told' }).waitFor({ state: 'detached' });
    assert.equal(await mine(), 0);
    await page.getByRole('checkbox', { name: 'Tell me on this device' }).click();
    await page.getByRole('list', { name: 'Browsers in which you are told' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign in with your passkey' }).click();
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    assert.equal(await mine(), 0);
    assert.deepEqual(v.complaints, []);
    await v.close();
  });

  it('one can be removed from another, and stays so when its page is opened', async () => {
    const one = await person('grace');
    await account(one.page);
    await one.page.getByRole('checkbox', { name: 'Tell me on this device' }).click();
    await one.page.getByRole('list', { name: 'Browsers in which you are told' }).waitFor();
    const other = await person('grace');
    await account(other.page);
    assert.equal(await other.page.getByRole('checkbox', { name: 'Tell me on this device' }).isChecked(), false);
    await other.page.getByRole('button', { name: /Tell me no more in/ }).click();
    await other.page.getByRole('list', { name: 'Browsers in which you are told' }).waitFor({ state: 'detached' });
    await one.page.reload();
    await account(one.page);
    assert.equal(await one.page.getByRole('checkbox', { name: 'Tell me on this device' }).isChecked(), false);
    await one.close();
    await other.close();
  });

  it('where it cannot be, the page says why', async () => {
    const denied = await person('ada', { permission: false });
    await denied.page.addInitScript(() => Object.defineProperty(Notification, 'permission', { get: () => 'denied' }));
    await denied.page.reload();
    await account(denied.page);
    await denied.page.getByText('Notifications from this address are blocked.').waitFor();
    assert.equal(await denied.page.getByRole('checkbox', { name: 'Tell me on this device' }).count(), 0);
    await denied.page.addInitScript(() => delete globalThis.PushManager);
    await denied.page.reload();
    await account(denied.page);
    await denied.page.getByText('This browser cannot be told while it is closed.').waitFor();
    await denied.close();

    const failing = await person('ada', { fails: true });
    await account(failing.page);
    await failing.page.getByRole('checkbox', { name: 'Tell me on this device' }).click();
    await failing.page.getByRole('alert').filter({ hasText: 'its push service refused' }).waitFor();
    assert.equal(await failing.page.getByRole('checkbox', { name: 'Tell me on this device' }).isChecked(), false);
    await failing.close();
  });

  for (const [scheme, width] of [['light', 320], ['dark', 1280]])
    it(`axe and html-validate find nothing: ${scheme}, ${width} px`, async () => {
      const v = await person('grace', { width });
      await v.page.emulateMedia({ colorScheme: scheme });
      await account(v.page);
      await v.page.getByRole('checkbox', { name: 'Tell me on this device' }).click();
      await v.page.getByRole('list', { name: 'Browsers in which you are told' }).waitFor();
      assert.deepEqual(await axe(v.page), []);
      assert.deepEqual(await markup(v.page), []);
      assert.ok(await v.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      await v.page.getByRole('checkbox', { name: 'Tell me on this device' }).click();
      await v.close();
    });
});
