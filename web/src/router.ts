// Addresses and pages: ordinary links, taken over so that the stream and what was typed live on.
import { store } from './store.ts';

export interface Place {
  path: string;
  query: URLSearchParams;
  key: number; // another one for each navigation, also to the same address
}

let count = 0;
const here = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search), key: ++count });

export const place = store<Place>(here());

export function go(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  place.set(here());
  if (!replace) scrollTo(0, 0);
}

// Writes filters into the address, so that a view can be shared, without a step in the history for each letter.
export function setQuery(values: Record<string, string>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : ''), { replace: true });
}

// The link's address if this click may be handled here: not a new tab, a download, or somewhere else.
function ours(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const anchor = (event.target as Element | null)?.closest?.('a');
  if (!anchor || anchor.target || anchor.hasAttribute('download') || anchor.origin !== location.origin) return null;
  if (anchor.pathname.startsWith('/api/') || anchor.pathname.startsWith('/login/') || anchor.hash) return null;
  return anchor.pathname + anchor.search;
}

export function follow(): void {
  addEventListener('popstate', () => place.set(here()));
  document.addEventListener('click', (event) => {
    const address = ours(event);
    if (address === null) return;
    event.preventDefault();
    go(address);
  });
}
