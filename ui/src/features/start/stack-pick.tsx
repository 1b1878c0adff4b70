/** The list of what people may already use. */

import { GROUPS, STACKS, type Stack } from "./stacks";

export function StackPick({ picked, onPick }: { picked: Stack; onPick: (stack: Stack) => void }) {
  return (
    <nav className="stacks" aria-label="What you use">
      {GROUPS.map((group) => (
        <div key={group} role="group" aria-label={group}>
          <span className="label">{group}</span>
          {STACKS.filter((stack) => stack.group === group).map((stack) => (
            <button key={stack.id} type="button" data-stack={stack.id} aria-pressed={stack.id === picked.id} onClick={() => onPick(stack)}>
              {stack.name}
            </button>
          ))}
        </div>
      ))}
    </nav>
  );
}
