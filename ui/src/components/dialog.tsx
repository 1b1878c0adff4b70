import { useId, useLayoutEffect, useRef, type ReactNode } from "react";
import { Icon } from "./icons";

/** Where the keyboard begins: the first field, else the harmless button. */
const FIRST = "input:not([type=radio], [type=checkbox]), select, .acts button";

/** A modal that is there while it is rendered. `isHeld` keeps Escape from closing what is shown only once. */
export function Dialog({ title, onClose, isHeld = false, isWide = false, children }: {
  title: string;
  onClose: () => void;
  isHeld?: boolean;
  isWide?: boolean;
  children: ReactNode;
}) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Closed while it is still in the page, it gives the focus back to what opened it.
  useLayoutEffect(() => {
    const dialog = box.current;
    if (dialog?.open === false) {
      dialog.showModal();
      dialog.querySelector<HTMLElement>(FIRST)?.focus();
    }
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={box}
      className={`sheet ${isWide ? "wide" : ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        if (!isHeld) onClose();
      }}
      onClose={(event) => {
        // A browser may close it over our head when Escape is pressed again.
        if (event.currentTarget.open) return;
        if (isHeld) event.currentTarget.showModal();
        else onClose();
      }}
    >
      <header>
        <h2 id={id}>{title}</h2>
        {!isHeld && (
          <button type="button" className="button quiet square" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        )}
      </header>
      {children}
    </dialog>
  );
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, act, isPending, error, onAct, onClose, children }: {
  title: string;
  act: string;
  isPending: boolean;
  error: Error | null;
  onAct: () => void;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="stack">
        {children}
        <Fault error={error} />
        <div className="acts">
          <button type="button" className="button" onClick={onClose}>Cancel</button>
          <button type="button" className="button danger" disabled={isPending} onClick={onAct}>{act}</button>
        </div>
      </div>
    </Dialog>
  );
}

/** An error inside a form, in the server's words. */
export function Fault({ error }: { error: (Error & { hint?: string | null }) | null }) {
  if (error === null) return null;
  return (
    <div className="fault" role="alert">
      <Icon name="warning" />
      <div>
        <p>{error.message}</p>
        {error.hint !== undefined && error.hint !== null && <p className="muted">{error.hint}</p>}
      </div>
    </div>
  );
}
