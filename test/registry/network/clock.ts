/**
 * Loaded before a program (`node --import`): its clock goes as a test says by message, for what waits days must not take days.
 * Timers and the monotonic clock are left alone.
 */
const Real = Date;
let aheadMs = Number(process.env["CLOCK_AHEAD_MS"] ?? 0);

class Turned extends Real {
  constructor(...args: readonly unknown[]) {
    if (args.length === 0) super(Real.now() + aheadMs);
    else super(...(args as [number]));
  }

  static override now(): number {
    return Real.now() + aheadMs;
  }
}
globalThis.Date = Turned as DateConstructor;

process.on("message", (message: { readonly aheadMs?: number }) => {
  if (message.aheadMs === undefined) return;
  aheadMs = message.aheadMs;
  process.send?.({ aheadMs });
});
process.on("disconnect", () => process.exit(1)); // Whoever was started by a test that is gone goes, too.
process.channel?.unref(); // Nobody stays for the clock's sake.
