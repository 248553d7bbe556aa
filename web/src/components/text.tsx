// Text that came from outside. Everything goes through `inert`, and reaches the page as text nodes only.
import type { Piece } from '../inert.ts';
import { inert } from '../inert.ts';
import { amounts, thousands } from '../format.ts';

export function Pieces({ pieces }: { pieces: Piece[] }) {
  return (
    <>
      {pieces.map((piece) =>
        piece.escaped ? (
          <span class="escape" title="A character that cannot be seen, written out">
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </>
  );
}

// One line of outside text, isolated so that right-to-left letters reorder nothing around them.
export function Outside({ text, keep = '' }: { text: string; keep?: string }) {
  return (
    <bdi>
      <Pieces pieces={inert(text, keep)} />
    </bdi>
  );
}

function Amount({ text }: { text: string }) {
  const groups = thousands(text);
  return (
    <b class="amount">
      {groups.map((group, i) => (i === 0 ? group : <span class="thousand">{group}</span>))}
    </b>
  );
}

// What will happen: the rule's sentence, its amounts set off.
export function Sentence({ text }: { text: string | null }) {
  if (!text) return <>A call that needs a decision</>;
  return (
    <bdi>
      {amounts(text).map((run) => (run.amount ? <Amount text={run.text} /> : <Pieces pieces={inert(run.text)} />))}
    </bdi>
  );
}

// Headers and the like, in a list of terms. The same name may come twice.
export function NamedTexts({ all }: { all: [name: string, value: string][] }) {
  return (
    <>
      {all.map(([name, value]) => (
        <div>
          <dt>
            <Outside text={name} />
          </dt>
          <dd>
            <Outside text={value} />
          </dd>
        </div>
      ))}
    </>
  );
}
