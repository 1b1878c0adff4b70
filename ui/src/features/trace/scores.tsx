import type { Score } from "@/api/types";
import { exact } from "@/core/time";

function said(score: Score): string {
  const value = typeof score.value === "number" ? String(Math.round(score.value * 1000) / 1000) : "";
  return [value, score.label ?? ""].filter((each) => each !== "").join(" · ");
}

export function ScoreTag({ score }: { score: Score }) {
  return (
    <span className="tag accent" title={score.comment ?? undefined}>
      {score.name} {said(score)}
    </span>
  );
}

export function ScoreTable({ scores }: { scores: readonly Score[] }) {
  return (
    <table className="grid-table">
      <thead>
        <tr>
          <th>Score</th>
          <th>Value</th>
          <th>By</th>
          <th>Comment</th>
          <th>When</th>
        </tr>
      </thead>
      <tbody>
        {scores.map((score) => (
          <tr key={score.id}>
            <td>{score.name}</td>
            <td>{said(score)}</td>
            <td className="muted">
              {score.source}
              {score.evaluator !== null && score.evaluator !== undefined && ` · ${score.evaluator}`}
              {score.evaluator_version !== null && score.evaluator_version !== undefined && ` ${score.evaluator_version}`}
            </td>
            <td title={score.comment ?? ""}>{score.comment}</td>
            <td className="muted">{exact(score.time).slice(0, 16)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
