import { useEffect, useRef } from "react";

const KEYS: readonly [string[], string][] = [
  [["j", "↓"], "next row"],
  [["k", "↑"], "row before"],
  [["Enter"], "open it"],
  [["/"], "search"],
  [["←", "→"], "fold and unfold in a trace's tree"],
  [["["], "back to the list"],
  [["Esc"], "let go of the row, then clear the filters"],
  [["?"], "this help"],
];

export function KeysHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) box.current?.showModal();
    else box.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={box} onClose={onClose} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl>
        {KEYS.map(([keys, meaning]) => (
          <div key={meaning} style={{ display: "contents" }}>
            <dt className="row">{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <button type="button" className="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  );
}
