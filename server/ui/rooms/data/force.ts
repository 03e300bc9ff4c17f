/** Where things stand in a map of links: those that are linked near each other, all others apart. The same every time. */

export interface Spot {
  readonly id: string;
  x: number;
  y: number;
}

const ROUNDS = 220;
const APART = 5_200; // How strongly two things push each other away.
const LENGTH = 95; // Of a link at rest.
const PULL = 0.05;
const TO_CENTRE = 0.012;

/**
 * @param links By the ids of their ends; those whose ends are not among the ids are passed over.
 * @returns spots within the frame, with a margin for their names.
 */
export function arrange(
  ids: readonly string[],
  links: readonly { readonly from: string; readonly to: string }[],
  frame: { readonly width: number; readonly height: number },
): readonly Spot[] {
  const { width, height } = frame;
  const spots: Spot[] = ids.map((id, place) => {
    const angle = place * 2.399963; // The golden angle: no two begin in one line.
    const radius = 18 * Math.sqrt(place + 0.5);
    return { id, x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
  });
  const places = new Map(ids.map((id, place) => [id, place]));
  const springs = links.flatMap(({ from, to }) => {
    const [a, b] = [places.get(from), places.get(to)];
    return a === undefined || b === undefined || a === b ? [] : [[a, b] as const];
  });
  for (let round = 0; round < ROUNDS; round += 1) step(spots, springs, 1 - round / ROUNDS, width / height);
  return fitted(spots, width, height);
}

function step(
  spots: readonly Spot[],
  springs: readonly (readonly [number, number])[],
  heat: number,
  shape: number,
): void {
  const moves = spots.map(({ x, y }) => ({ x: (-x * TO_CENTRE) / shape, y: -y * TO_CENTRE * shape }));
  for (const [a, one] of spots.entries()) {
    for (let b = a + 1; b < spots.length; b += 1) {
      const other = spots[b] as Spot;
      const [dx, dy] = [one.x - other.x, one.y - other.y];
      const square = Math.max(dx * dx + dy * dy, 1);
      const force = APART / square / Math.sqrt(square);
      push(moves[a], dx * force, dy * force);
      push(moves[b], -dx * force, -dy * force);
    }
  }
  for (const [a, b] of springs) {
    const [one, other] = [spots[a] as Spot, spots[b] as Spot];
    const [dx, dy] = [other.x - one.x, other.y - one.y];
    const distance = Math.max(Math.hypot(dx, dy), 1);
    const force = (PULL * (distance - LENGTH)) / distance;
    push(moves[a], dx * force, dy * force);
    push(moves[b], -dx * force, -dy * force);
  }
  const farMax = 4 + 36 * heat;
  for (const [place, spot] of spots.entries()) {
    const { x, y } = moves[place] ?? { x: 0, y: 0 };
    const far = Math.max(Math.hypot(x, y), 1e-9);
    const share = Math.min(far, farMax) / far;
    spot.x += x * share;
    spot.y += y * share;
  }
}

function push(move: { x: number; y: number } | undefined, x: number, y: number): void {
  if (!move) return;
  move.x += x;
  move.y += y;
}

function fitted(spots: readonly Spot[], width: number, height: number): readonly Spot[] {
  const across = [Math.min(64, width / 6), 34] as const;
  const fit = (values: readonly number[], size: number, margin: number): ((value: number) => number) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    if (!(most > least)) return () => size / 2;
    return (value) => margin + ((value - least) / (most - least)) * (size - 2 * margin);
  };
  const toX = fit(
    spots.map(({ x }) => x),
    width,
    across[0],
  );
  const toY = fit(
    spots.map(({ y }) => y),
    height,
    across[1],
  );
  return spots.map(({ id, x, y }) => ({ id, x: toX(x), y: toY(y) }));
}
