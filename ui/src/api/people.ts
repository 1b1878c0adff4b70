/** Keys, members and invitations of the project: read, and changed. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, keys, people } from "./client";
import { scoped } from "./project";
import type { Role, Scope } from "./types";

/** A change after which a list is read again, whether it worked or not. */
function useChange<Given, Answer>(change: (given: Given) => Promise<Answer>, ...lists: string[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => Promise.all(lists.map((list) => client.invalidateQueries({ queryKey: scoped(list) }))),
  });
}

export function useProjects(wanted: boolean) {
  return useQuery({
    queryKey: ["projects"],
    enabled: wanted,
    staleTime: 30_000,
    queryFn: async ({ signal }) => (await api.projects(signal)).items,
  });
}

export function useKeyList() {
  return useQuery({
    queryKey: scoped("keys"),
    refetchInterval: 30_000,
    queryFn: async ({ signal }) => (await keys.list(signal)).items,
  });
}

export function useKeyCreate() {
  return useChange(
    ({ name, scopes, days }: { name: string; scopes: readonly Scope[]; days: number | null }) => keys.create(name, scopes, days),
    "keys",
  );
}

export function useKeyRotate() {
  return useChange(({ publicId, hours }: { publicId: string; hours: number }) => keys.rotate(publicId, hours), "keys");
}

export function useKeyRevoke() {
  return useChange((publicId: string) => keys.revoke(publicId), "keys");
}

export function useMembers() {
  return useQuery({
    queryKey: scoped("members"),
    queryFn: async ({ signal }) => (await people.members(signal)).items,
  });
}

export function useRoleChange() {
  return useChange(({ userId, role }: { userId: string; role: Role }) => people.setRole(userId, role), "members");
}

export function useMemberRemove() {
  return useChange((userId: string) => people.removeMember(userId), "members");
}

export function useMemberReset() {
  return useChange((userId: string) => people.resetMember(userId), "invitations");
}

export function useInvitations() {
  return useQuery({
    queryKey: scoped("invitations"),
    queryFn: async ({ signal }) => (await people.invitations(signal)).items,
  });
}

export function useInvite() {
  return useChange(
    ({ email, role, hours }: { email: string; role: Role; hours: number }) => people.invite(email, role, hours),
    "invitations",
  );
}

export function useWithdraw() {
  return useChange((id: string) => people.withdraw(id), "invitations");
}
