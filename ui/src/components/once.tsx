import { useId } from "react";
import { CopyButton } from "./basics";

/** Something that is shown a single time, ready to be copied. */
export function Once({ label, text }: { label: string; text: string }) {
  const id = useId();
  return (
    <div className="labelled">
      <label htmlFor={id}>{label}</label>
      <span className="once">
        <input id={id} className="field mono" readOnly value={text} autoFocus onFocus={(event) => event.target.select()} spellCheck={false} autoComplete="off" />
        <CopyButton text={text} label={`Copy the ${label.toLowerCase()}`} small={false} />
      </span>
    </div>
  );
}
