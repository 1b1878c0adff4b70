import { useLocation, useNavigate } from "@tanstack/react-router";
import { useProjects } from "@/api/people";
import { useSwitchProject } from "@/api/session";
import type { Session } from "@/api/types";
import { Icon } from "@/components/icons";
import { useNarrow } from "@/components/use-narrow";

/** The projects someone may look at: their own, or all for who runs the server. */
function useChoices(session: Session): string[] {
  const all = useProjects(session.is_owner).data;
  const ids = session.is_owner ? (all ?? []) : session.projects.map((each) => each.id);
  return session.project !== null && !ids.includes(session.project) ? [session.project, ...ids] : ids;
}

/** Switches the project; nothing to see where there is one only. On a phone it is in the account's menu. */
export function ProjectPick({ session, isInMenu = false }: { session: Session; isInMenu?: boolean }) {
  const isNarrow = useNarrow();
  const choices = useChoices(session);
  const change = useSwitchProject();
  const navigate = useNavigate();
  const path = useLocation({ select: (location) => location.pathname });
  if (choices.length < 2 || isNarrow !== isInMenu) return null;
  const pick = (project: string): void => {
    change.mutate(project, {
      // A trace is in one project, and filters name what is in one.
      onSuccess: () => void navigate({ to: path.startsWith("/traces/") ? "/traces" : path, search: {} }),
    });
  };
  return (
    <span className="pick project">
      <select aria-label="Project" value={session.project ?? ""} disabled={change.isPending} onChange={(event) => pick(event.target.value)}>
        {choices.map((id) => <option key={id} value={id}>{id}</option>)}
      </select>
      <Icon name="down" />
    </span>
  );
}
