// Reading from the API in a component: what is there, what went wrong, and reading again without a flash of emptiness.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Page } from './api.ts';
import { session } from './session.ts';
import { useStore } from './store.ts';

export interface Loaded<T> {
  value: T | null;
  error: unknown;
  busy: boolean;
  again: () => void;
  put: (value: T) => void; // what another answer already told
}

export function useLoad<T>(read: () => Promise<T>, what: string): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(true);
  const turn = useRef(0);
  const reader = useRef(read);
  reader.current = read;
  const { state } = useStore(session);

  const again = useCallback(() => {
    const mine = ++turn.current; // an older answer that comes later does not win
    setBusy(true);
    reader.current().then(
      (got) => {
        if (turn.current !== mine) return;
        setValue(() => got);
        setError(null);
        setBusy(false);
      },
      (why: unknown) => {
        if (turn.current !== mine) return;
        setError(why);
        setBusy(false);
      },
    );
  }, []);

  // Also when a session that had ended goes on.
  useEffect(() => {
    if (state !== 'ended') again();
  }, [what, state === 'ended', again]);
  useEffect(
    () => () => {
      turn.current = -1;
    },
    [],
  );

  const put = useCallback((next: T) => {
    turn.current++;
    setValue(() => next);
    setError(null);
    setBusy(false);
  }, []);
  return { value, error, busy, again, put };
}

const PAGES = 20;

// Every page of a list that is short by nature (agents, people); bounded, should it not be.
export async function readAll<T>(read: (filter: { cursor?: string }) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES; page++) {
    const part: Page<T> = await read(cursor === null ? {} : { cursor });
    all.push(...part.items);
    cursor = part.next;
    if (cursor === null) break;
  }
  return all;
}
