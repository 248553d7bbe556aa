// The service worker: shows what is pushed, opens what is pressed, and says so where the gateway cannot be reached. It keeps
// nothing: a request that is shown from a cache may be over, and somebody would decide what does not wait any more.
const worker = self as unknown as ServiceWorkerGlobalScope;

interface Told {
  tells: 'asked' | 'reminded' | 'glass_broken' | 'ended';
  hold: string;
  title: string;
  expires_at: string;
}

const HOLD = /^hld_[0-9A-HJKMNP-TV-Z]{26}$/i;
const PATIENCE_MS = 500; // a browser lets us open a window for a few seconds after the press
const ICON = '@ICON@';

const OFFLINE = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Offline · Sallyport</title></head>
<body><main><h1>The gateway cannot be reached</h1>
<p>You are offline, or the gateway is. Nothing is kept on this device, so that nothing out of date is shown; what waits goes on waiting there.</p>
<p><a href="">Try again</a></p></main></body></html>`;

// What was pushed is encrypted to this browser and signed for; it is read as carefully as if it were not.
function read(data: PushMessageData | null): Told | null {
  try {
    const value = data?.json() as Partial<Told> | null | undefined;
    if (!value || typeof value.hold !== 'string' || !HOLD.test(value.hold) || typeof value.title !== 'string') return null;
    if (value.tells !== 'asked' && value.tells !== 'reminded' && value.tells !== 'glass_broken' && value.tells !== 'ended') return null;
    return { tells: value.tells, hold: value.hold, title: value.title.slice(0, 200), expires_at: String(value.expires_at) };
  } catch {
    return null;
  }
}

function until(told: Told): string {
  const at = new Date(told.expires_at);
  if (Number.isNaN(at.getTime())) return '';
  const today = at.toDateString() === new Date().toDateString();
  return `Until ${at.toLocaleString([], today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' })}. `;
}

// One notification a hold: what is told later takes the place of what was told before, and of an outcome it makes no sound.
async function show(told: Told | null): Promise<void> {
  const common = { icon: ICON, badge: ICON };
  if (told === null) return worker.registration.showNotification('Something waits in Sallyport', { ...common, tag: 'inbox', data: { hold: null } });
  const over = told.tells === 'ended';
  const options: NotificationOptions & { renotify?: boolean } = {
    ...common,
    body: over
      ? 'Nothing is left to do there.'
      : told.tells === 'glass_broken'
        ? 'Somebody broke the glass. Open it to see who, and why.'
        : `${until(told)}Open it to see what it is.`,
    tag: told.hold,
    silent: over,
    data: { hold: told.hold },
  };
  if (!over) options.renotify = true;
  return worker.registration.showNotification(told.title, options);
}

// What a page shows now: its `url` is where it began, and it has gone on without loading anything since. Null: it does not say.
function placeOf(page: WindowClient): Promise<string | null> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event) => resolve(typeof event.data === 'string' ? event.data : null);
    setTimeout(() => resolve(null), PATIENCE_MS);
    page.postMessage({ where: true }, [port2]);
  });
}

// A page of ours that shows it already, or the inbox, is enough; one in which something else is being read or written is left alone.
async function open(hold: string | null): Promise<void> {
  const to = hold === null ? '/' : `/holds/${hold}`;
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const places = await Promise.all(pages.map(placeOf));
  const at = (path: string) => pages[places.indexOf(path)];
  const there = at(to);
  if (there) {
    await there.focus();
    return;
  }
  const inbox = at('/');
  if (!inbox) {
    await worker.clients.openWindow(to);
    return;
  }
  await inbox.focus();
  inbox.postMessage({ open: to });
}

worker.addEventListener('install', () => void worker.skipWaiting());
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('push', (event) => event.waitUntil(show(read(event.data))));

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { hold } = (event.notification.data ?? {}) as { hold?: unknown };
  event.waitUntil(open(typeof hold === 'string' && HOLD.test(hold) ? hold : null));
});

// Pages alone, and never from a cache. The API is none; nor is a provider's way in and out, whose cookies depend on who began it.
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { pathname } = new URL(request.url);
  if (request.mode !== 'navigate' || pathname.startsWith('/api/') || pathname.startsWith('/login/oidc')) return;
  event.respondWith(
    fetch(request).catch(
      () =>
        new Response(OFFLINE, {
          status: 503,
          headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store', 'Content-Security-Policy': "default-src 'none'" },
        }),
    ),
  );
});
