// JSON as a tree that opens level by level, so that a large document costs only what is looked at.

import { useState } from "preact/hooks";

/** Members shown of one object or array before somebody asks for more. */
const PAGE = 100;
const OPEN_DEPTH = 2;

export function JsonTree({ value, label }: { value: unknown; label: string }) {
  return (
    <div class="json" role="region" aria-label={label} tabIndex={0}>
      <Value value={value} depth={0} />
    </div>
  );
}

function Value({ value, depth, name }: { value: unknown; depth: number; name?: string }) {
  const [open, setOpen] = useState(depth < OPEN_DEPTH);
  const [count, setCount] = useState(PAGE);
  const label = name === undefined ? null : <span class="json-name">{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div class="json-leaf">
        {label}
        <span class={`json-${value === null ? "null" : typeof value}`}>{JSON.stringify(value) ?? ""}</span>
      </div>
    );
  }
  const members = Object.entries(value);
  const size = Array.isArray(value) ? `[${members.length}]` : `{${members.length}}`;
  if (members.length === 0) {
    return (
      <div class="json-leaf">
        {label}
        <span class="muted">{Array.isArray(value) ? "[]" : "{}"}</span>
      </div>
    );
  }
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span class="muted">{size}</span>
      </summary>
      {open && (
        <div class="json-members">
          {members.slice(0, count).map(([key, member]) => (
            <Value key={key} value={member} depth={depth + 1} name={key} />
          ))}
          {members.length > count && (
            <button type="button" class="link" onClick={() => setCount(count + 10 * PAGE)}>
              {members.length - count} more
            </button>
          )}
        </div>
      )}
    </details>
  );
}
