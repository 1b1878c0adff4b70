import { Notice } from "./basics";

interface Explained extends Error {
  hint?: string | null;
}

/** What went wrong, in the server's words, and a way to try again. */
export function Failure({ error, onRetry }: { error: Explained; onRetry: () => void }) {
  return (
    <Notice icon="warning" title="That did not work">
      <p role="alert">{error.message}</p>
      {error.hint !== undefined && error.hint !== null && <p className="muted">{error.hint}</p>}
      <button type="button" className="button" onClick={onRetry}>
        Try again
      </button>
    </Notice>
  );
}
