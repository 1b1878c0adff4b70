import { useDisplay } from "@/api/queries";
import { shownMoney, type Display } from "@/core/format";

/** An amount stored in dollars, in the currency that is shown; the day of its rate is in its title. */
export function Money({ nano }: { nano: string | null | undefined }) {
  const display = useDisplay();
  return <span title={rateOf(display)}>{shownMoney(nano, display)}</span>;
}

/** "at the rate of 2026-10-30 (ECB)", nothing for dollars. */
export function rateOf(display: Display): string | undefined {
  return display.rate_day ? `${display.currency} at the rate of ${display.rate_day}` : undefined;
}
