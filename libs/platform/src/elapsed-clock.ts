/**
 * Milliseconds that have passed, for leases and permits: the larger of what the wall clock and the monotonic clock say, and never less than
 * before. The monotonic clock stands still while a machine is suspended, and the wall clock may be set back; a life that is judged by
 * both ends too early at worst.
 */
export const elapsedClock = (
  monotonic: () => number = () => performance.now(),
  wall: () => number = () => Date.now(),
): (() => number) => {
  const [monotonicStart, wallStart] = [monotonic(), wall()];
  let latest = 0;
  return () => {
    latest = Math.max(latest, monotonic() - monotonicStart, wall() - wallStart);
    return latest;
  };
};
