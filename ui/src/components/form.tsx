/** Labelled fields. */

import { useId, useState, type InputHTMLAttributes, type ReactNode } from "react";

type Native = Omit<InputHTMLAttributes<HTMLInputElement>, "id" | "onChange" | "value" | "className">;

export function Field({ label, hint, value, onValue, ...native }: Native & {
  label: string;
  hint?: ReactNode;
  value: string;
  onValue: (value: string) => void;
}) {
  const id = useId();
  return (
    <div className="labelled">
      <label htmlFor={id}>{label}</label>
      <input id={id} className="field" value={value} aria-describedby={hint === undefined ? undefined : `${id}-hint`} onChange={(event) => onValue(event.target.value)} {...native} />
      {hint !== undefined && <p className="muted" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

/** A password that can be looked at while it is typed. */
export function Password({ label, hint, value, onValue, autoComplete, autoFocus = false, minLength }: {
  label: string;
  hint?: ReactNode;
  value: string;
  onValue: (value: string) => void;
  autoComplete: "current-password" | "new-password";
  autoFocus?: boolean;
  minLength?: number;
}) {
  const id = useId();
  const [isShown, setShown] = useState(false);
  return (
    <div className="labelled">
      <label htmlFor={id}>{label}</label>
      <span className="password">
        <input
          id={id} className="field" type={isShown ? "text" : "password"} value={value} required autoFocus={autoFocus} minLength={minLength}
          autoComplete={autoComplete} autoCapitalize="off" spellCheck={false}
          aria-describedby={hint === undefined ? undefined : `${id}-hint`}
          onChange={(event) => onValue(event.target.value)}
        />
        <button type="button" className="button quiet small" aria-pressed={isShown} aria-label={`Show ${label.toLowerCase()}`} onClick={() => setShown(!isShown)}>
          {isShown ? "Hide" : "Show"}
        </button>
      </span>
      {hint !== undefined && <p className="muted" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

export interface Choice<T extends string> {
  id: T;
  name: string;
  meaning: string;
}

/** One of a few, each explained. */
export function Choices<T extends string>({ label, options, value, onPick }: {
  label: string;
  options: readonly Choice<T>[];
  value: T;
  onPick: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset className="choices">
      <legend>{label}</legend>
      {options.map((option) => (
        <label key={option.id}>
          <input type="radio" name={name} checked={option.id === value} onChange={() => onPick(option.id)} />
          <span><b>{option.name}</b><span className="muted">{option.meaning}</span></span>
        </label>
      ))}
    </fieldset>
  );
}

/** A choice of a number, labelled. */
export function Select({ label, hint, value, options, onPick }: {
  label: string;
  hint?: ReactNode;
  value: string;
  options: readonly { id: string; name: string }[];
  onPick: (value: string) => void;
}) {
  const id = useId();
  return (
    <div className="labelled">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="field" value={value} aria-describedby={hint === undefined ? undefined : `${id}-hint`} onChange={(event) => onPick(event.target.value)}>
        {options.map((option) => <option key={option.id} value={option.id}>{option.name}</option>)}
      </select>
      {hint !== undefined && <p className="muted" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}
