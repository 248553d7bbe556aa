import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { initials } from '../format.ts';
import { ownerName, ownerPlace } from '../sentences.ts';
import { inWords } from '../session.ts';
import { store, useStore } from '../store.ts';
import { Icon, type IconName } from './icon.tsx';
import { Outside } from './text.tsx';

export function Avatar({ name }: { name: string }) {
  return (
    <span class="avatar" aria-hidden="true">
      {initials(name)}
    </span>
  );
}

// Whoever answers for an agent; where they are found.
export function Owner({ owner }: { owner: string }) {
  return (
    <a class="plain-link" href={ownerPlace(owner)}>
      {ownerName(owner)}
    </a>
  );
}

export function Failure({ error, again }: { error: unknown; again?: () => void }) {
  return (
    <div class="note bad" role="alert">
      <Icon name="warning" />
      <p>
        <Outside text={inWords(error)} />
      </p>
      {again && (
        <button type="button" class="button small" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

// What went wrong with an act, beside its button; nothing while nothing has.
export function Wrong({ error }: { error: unknown }) {
  if (error === null) return null;
  return (
    <p class="note bad" role="alert">
      <Icon name="warning" />
      <span>
        <Outside text={inWords(error)} />
      </span>
    </p>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-picture">
        <Icon name={icon} />
      </span>
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

// The shape of what comes: rows of a list.
export function Skeleton({ rows = 5, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div class="skeleton" role="status">
      <span class="hidden">{label}</span>
      {Array.from({ length: rows }, () => (
        <div class="skeleton-row" aria-hidden="true">
          <i />
          <i />
          <i />
        </div>
      ))}
    </div>
  );
}

// A modal dialog of the browser's own: it keeps the focus inside and gives it back.
export function Dialog({ title, onClose, children }: { title: string; onClose: (() => void) | null; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose?.();
      }}
    >
      <div class="dialog-inside">
        <header>
          <h2 id="dialog-title">{title}</h2>
          {onClose && (
            <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
              <Icon name="cross" />
            </button>
          )}
        </header>
        {children}
      </div>
    </dialog>
  );
}

const announcement = store<{ text: string }>({ text: '' });

// Says something to those who listen to the page.
export function announce(text: string): void {
  announcement.set({ text });
}

export function Announcer() {
  const { text } = useStore(announcement);
  return (
    <div class="hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}

interface SearchProps {
  value: string;
  label: string;
  hint?: string; // what stands in the empty field, where the label is too long for it
  onInput: (value: string) => void;
}

export function Search({ value, label, hint = label, onInput }: SearchProps) {
  return (
    <label class="search">
      <span class="hidden">{label}</span>
      <Icon name="search" />
      <input
        type="search"
        id="search"
        value={value}
        placeholder={hint}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          // Escape leaves the field with what was found, and Enter goes on to it.
          if (event.key !== 'Escape' && event.key !== 'Enter') return;
          event.preventDefault();
          event.currentTarget.blur();
          if (event.key === 'Enter') document.querySelector<HTMLElement>('a.row')?.focus();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

export interface Choice {
  value: string;
  word: string;
}

export function Choose({ label, value, choices, onChange }: { label: string; value: string; choices: Choice[]; onChange: (value: string) => void }) {
  return (
    <label class={`choose ${value ? 'set' : ''}`}>
      <span class="hidden">{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {choices.map((choice) => (
          <option value={choice.value}>{choice.word}</option>
        ))}
      </select>
      <Icon name="down" />
    </label>
  );
}

export const focusSearch = (): void | false => {
  const field = document.getElementById('search');
  if (!field) return false;
  field.focus();
  return undefined;
};
