// The few pictures, as paths that take the text's colour. They say nothing to a screen reader: words stand beside them.
const PATHS = {
  inbox: 'M3 13h5l1.5 3h5L16 13h5M5.5 5h13l2.5 8v5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18v-5z',
  history: 'M4 5v4h4M4.6 9A8 8 0 1 1 4 13M12 8v4.5l3 2',
  agents: 'M12 3v3M6 8.5h12a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-6.500a2 2 0 0 1 2-2zM9 13v1.500M15 13v1.5',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.500a3.5 3.5 0 0 1 0 6M18 14.500a6.5 6.5 0 0 1 3.5 5.5',
  channels: 'M3.5 5.500h17v11h-9L7 20v-3.500H3.500zM8 9.500h8M8 12.500h5',
  grants: 'M4 8h11v11H4zM8 8V4.500h12v11h-5M7 13.500l2 2 3.500-4',
  log: 'M6 3.500h9L19 7.500v13H6zM9.5 9h3M9.5 13h6M9.5 17h6',
  check: 'M4.5 12.500l5 5 10-11',
  cross: 'M6 6l12 12M18 6L6 18',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5.500l3.5 2',
  send: 'M4 12h15M13 6l6 6-6 6',
  back: 'M14.5 5.500L8 12l6.5 6.5',
  next: 'M9.5 5.500L16 12l-6.5 6.5',
  down: 'M5.5 9.500L12 16l6.5-6.5',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.500L20.5 20.5',
  key: 'M8 19.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM10.9 12.600L20 3.500M16.5 7l3 3M13.5 10l2 2',
  warning: 'M12 4l9 16H3zM12 10v4.500M12 17.500h.01',
  question: 'M9 9a3 3 0 1 1 4.2 2.700c-.8.4-1.2 1-1.2 2v.300M12 17.500h.01M12 21.500a9.5 9.5 0 1 0 0-19 9.5 9.5 0 0 0 0 19z',
  undo: 'M8 5L4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-3',
  offline: 'M3 3l18 18M5 12.500a10 10 0 0 1 4-2.300M2 9a15 15 0 0 1 4.5-2.700M12 5a15 15 0 0 1 10 4M15.5 10.800a10 10 0 0 1 3.5 1.700M8.5 16a5 5 0 0 1 5.5-1M12 19.500h.01',
  lock: 'M6 11h12v9.500H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  stop: 'M8.2 3h7.600L21 8.200v7.600L15.8 21H8.200L3 15.800V8.200zM8.5 12h7',
  out: 'M14 4h5.500v16H14M10 8l-4 4 4 4M6 12h9',
  dot: 'M12 14.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <rect class="logo-ground" width="64" height="64" rx="15" />
      <path class="logo-arch" d="M15 51V29a17 17 0 0 1 34 0v22" />
      <path class="logo-door" d="M26 51V31a6 6 0 0 1 12 0v20" />
    </svg>
  );
}
