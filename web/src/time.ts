// A clock that components can watch: one timer for all of them, none while nobody looks.
import { useEffect, useState } from 'preact/hooks';
import { now } from './api.ts';

const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  if (document.visibilityState === 'visible') for (const watcher of [...watchers]) watcher();
}

export function useNow(): number {
  const [time, setTime] = useState(now);
  useEffect(() => {
    const watcher = () => setTime(now());
    watchers.add(watcher);
    timer ??= setInterval(tick, 1_000);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
  return time;
}
