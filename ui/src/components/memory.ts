/** What the page remembers between visits; a browser that forbids it just forgets. */

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`watchkeeper.${key}`);
  } catch {
    return null; // storage is blocked
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`watchkeeper.${key}`, value);
  } catch {
    return; // storage is blocked or full
  }
}
