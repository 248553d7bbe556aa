// Single-key shortcuts. They rest while something is typed or a dialog is open, and can be turned off (WCAG 2.1.4).
import { useLayoutEffect } from 'preact/hooks';
import { store } from './store.ts';

const SETTING = 'sallyport.shortcuts';

function remembered(): boolean {
  try {
    return localStorage.getItem(SETTING) !== 'off';
  } catch {
    return true; // no storage: private windows of some browsers
  }
}

export const shortcuts = store<boolean>(remembered());

export function setShortcuts(on: boolean): void {
  shortcuts.set(on);
  try {
    localStorage.setItem(SETTING, on ? 'on' : 'off');
  } catch {
    // Then it holds for this visit only.
  }
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

// `keys`: what each does; a function that returns false leaves the key to the browser.
export function useKeys(keys: Record<string, () => void | false>): void {
  // With the layout, so that a key pressed as soon as the page is seen is not lost.
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
      if (!shortcuts.get() || typing(event.target) || document.querySelector('dialog[open]')) return;
      const act = keys[event.key];
      if (act && act() !== false) event.preventDefault();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  });
}
