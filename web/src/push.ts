// Being told in this browser: the service worker, the subscription that the browser keeps, and what the gateway knows of it.
import { api, type Browser } from './api.ts';
import * as router from './router.ts';

export type PushState = 'unsupported' | 'denied' | 'off' | 'on';

export interface Telling {
  state: PushState;
  here: string | null; // the id of this browser, as the gateway lists it
  browsers: Browser[];
}

// The one address that a script of ours is made from by its name (Trusted Types).
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): string };
}
const WORKER = '/sw.js';
const trusted = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('service-worker', { createScriptURL: () => WORKER });

export const supported = 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis;

let registered: Promise<ServiceWorkerRegistration> | null = null;

function worker(): Promise<ServiceWorkerRegistration> {
  registered ??= navigator.serviceWorker
    .register(trusted?.createScriptURL(WORKER) ?? WORKER, { scope: '/', updateViaCache: 'none' })
    .then(() => navigator.serviceWorker.ready);
  registered.catch(() => (registered = null)); // tried again when it is next asked for
  return registered;
}

// With or without push: the worker says so when the gateway cannot be reached, and makes an application of the page.
export function follow(): void {
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ open?: unknown; where?: unknown } | null>) => {
    if (event.data?.where === true) event.ports[0]?.postMessage(location.pathname);
    const to = event.data?.open;
    if (typeof to === 'string' && to.startsWith('/') && !to.startsWith('//')) router.go(to);
  });
  worker().catch(() => {});
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function same(a: ArrayBuffer | null, b: Uint8Array): boolean {
  if (a === null) return false;
  const left = new Uint8Array(a);
  return left.length === b.length && left.every((byte, i) => byte === b[i]);
}

// As the gateway names it: the first 16 bytes of the SHA-256 of its address, base64url.
async function idOf(subscription: PushSubscription): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(subscription.endpoint)));
  return btoa(String.fromCharCode(...hash.slice(0, 16)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

export async function look(): Promise<Telling> {
  const { browsers, key } = await api.push();
  if (!supported) return { state: 'unsupported', here: null, browsers };
  const subscription = await (await worker()).pushManager.getSubscription();
  const here = subscription === null ? null : await idOf(subscription);
  if (Notification.permission === 'denied') return { state: 'denied', here, browsers };
  const on = subscription !== null && browsers.some((b) => b.id === here) && same(subscription.options.applicationServerKey, bytesOf(key));
  return { state: on ? 'on' : 'off', here, browsers };
}

export async function switchOn(): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted') return;
  const { key } = await api.push();
  const { pushManager } = await worker();
  const before = await pushManager.getSubscription();
  if (before !== null && !same(before.options.applicationServerKey, bytesOf(key))) await before.unsubscribe();
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
  await api.pushOn(subscription.toJSON());
}

export async function switchOff(browser: string): Promise<void> {
  await api.pushOff(browser);
  if (!supported) return;
  const subscription = await (await worker()).pushManager.getSubscription();
  if (subscription !== null && (await idOf(subscription)) === browser) await subscription.unsubscribe();
}

// A browser that is on goes with the session that is open in it now, so that ending this session ends it. One that is on for
// somebody else, or that was taken off the list elsewhere, is not switched on by opening a page.
export async function renew(): Promise<void> {
  if (!supported || Notification.permission !== 'granted') return;
  const subscription = await (await worker()).pushManager.getSubscription();
  if (subscription === null) return;
  const { browsers } = await api.push();
  const here = await idOf(subscription);
  if (browsers.some((b) => b.id === here)) await api.pushOn(subscription.toJSON());
}
