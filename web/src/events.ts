// What changed, live: one EventSource for all tabs of this browser (a browser opens only six connections to a
// host over HTTP/1.1, so seven tabs with a stream each would stop the pages), polling where the stream fails.
import type { HoldStatus } from './api.ts';
import { api, Refusal } from './api.ts';
import { session } from './session.ts';
import { store } from './store.ts';

export type Link = 'connecting' | 'live' | 'polling' | 'offline';

export interface Change {
  hold: string;
  status: HoldStatus;
}

type Message = { kind: 'change'; change: Change } | { kind: 'refresh' } | { kind: 'link'; link: Link } | { kind: 'ask' };

// Whether the pages hear of changes, and whether the gateway can be reached at all.
export const link = store<Link>('connecting');

const POLL_MS = 5_000;
const RETRY_MAX_MS = 30_000;

const listeners = new Set<(change: Change | null) => void>();
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('sallyport-events');
let leading = false;
let stopLeading: (() => void) | null = null;

// `null` means that something may have changed, one does not know what: read anew.
export function onChange(listener: (change: Change | null) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function deliver(message: Message): void {
  if (message.kind === 'change') for (const listener of [...listeners]) listener(message.change);
  else if (message.kind === 'refresh') for (const listener of [...listeners]) listener(null);
  else if (message.kind === 'link') link.set(message.link);
  else if (leading) channel?.postMessage({ kind: 'link', link: link.get() } satisfies Message);
}

function tell(message: Message): void {
  deliver(message);
  channel?.postMessage(message);
}

function parseChange(text: string): Change | null {
  try {
    const value = JSON.parse(text) as Partial<Change>;
    return typeof value.hold === 'string' && typeof value.status === 'string' ? (value as Change) : null;
  } catch {
    return null;
  }
}

// Runs in the one tab that leads: keeps the stream open, and polls while it is not.
function lead(): () => void {
  let source: EventSource | null = null;
  let retry = 1_000;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  const poll = async (): Promise<void> => {
    if (stopped || link.get() === 'live') return;
    try {
      await api.me();
      if (stopped || (link.get() as Link) === 'live') return;
      const open = source?.readyState === EventSource.OPEN; // the network was away for less than the stream took to notice
      tell({ kind: 'link', link: open ? 'live' : 'polling' });
      tell({ kind: 'refresh' });
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) return; // signing in starts it again
      if (!stopped) tell({ kind: 'link', link: 'offline' });
    }
    if (!stopped && source?.readyState !== EventSource.OPEN) timer = setTimeout(cycle, Math.min(retry, POLL_MS));
  };
  const cycle = (): void => {
    if (source === null || source.readyState === EventSource.CLOSED) connect();
    void poll();
  };
  const connect = (): void => {
    source?.close();
    source = new EventSource('/api/v1/events');
    source.onopen = () => {
      retry = 1_000;
      clearTimeout(timer);
      const gap = link.get() !== 'connecting';
      tell({ kind: 'link', link: 'live' });
      if (gap) tell({ kind: 'refresh' }); // what happened while nobody listened
    };
    source.onerror = () => {
      retry = Math.min(retry * 2, RETRY_MAX_MS);
      if (link.get() === 'live') tell({ kind: 'link', link: 'polling' });
      clearTimeout(timer);
      void poll();
    };
    source.addEventListener('hold', (event) => {
      const change = parseChange((event as MessageEvent<string>).data);
      tell(change ? { kind: 'change', change } : { kind: 'refresh' });
    });
  };

  leading = true;
  connect();
  const wake = () => {
    if (link.get() !== 'live') {
      clearTimeout(timer);
      cycle();
    }
  };
  addEventListener('online', wake);
  return () => {
    stopped = true;
    leading = false;
    clearTimeout(timer);
    source?.close();
    removeEventListener('online', wake);
  };
}

function start(): void {
  if (stopLeading) return;
  let stopped = false;
  let end: (() => void) | null = null;
  if (!navigator.locks) {
    end = lead();
  } else {
    channel?.postMessage({ kind: 'ask' } satisfies Message);
    const abort = new AbortController();
    const held = new Promise<void>((release) => {
      stopLeading = () => {
        stopped = true;
        abort.abort();
        end?.();
        release();
      };
    });
    navigator.locks
      .request('sallyport-events', { signal: abort.signal }, () => {
        if (stopped) return undefined;
        end = lead();
        return held; // the lock goes to the next tab when this one closes
      })
      .catch(() => {}); // aborted: signed out before its turn came
    return;
  }
  stopLeading = () => end?.();
}

function stop(): void {
  stopLeading?.();
  stopLeading = null;
}

// Follows the session: there is nothing to hear without one.
export function follow(): void {
  channel?.addEventListener('message', (event: MessageEvent<Message>) => deliver(event.data));
  addEventListener('offline', () => link.set('offline'));
  addEventListener('online', () => {
    if (!leading && link.get() === 'offline') channel?.postMessage({ kind: 'ask' } satisfies Message);
  });
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') deliver({ kind: 'refresh' });
  });
  const attend = () => (session.get().state === 'in' ? start() : stop());
  session.watch(attend);
  attend();
}
